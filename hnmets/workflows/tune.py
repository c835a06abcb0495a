"""`tune`: search for settings, and measure what the search is worth in folds it has never seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_args

from hnmets.evaluation.estimate import measured_json
from hnmets.execution.team import Team
from hnmets.tracking.base import Dataset, Tracker
from hnmets.tracking.environment import capture
from hnmets.tracking.opening import open_tracker
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.spooled import SpooledTracker
from hnmets.tuning.backbone_space import BackboneConfiguration
from hnmets.tuning.device import Device, used
from hnmets.tuning.plan import EVERYBODY, Configuration, Target
from hnmets.tuning.records import Record, Records
from hnmets.tuning.starting import STORAGE
from hnmets.workflows.named import named
from hnmets.workflows.nested import Nested, winner_of
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import Study
from hnmets.workflows.tuned_study import write_tuned
from hnmets.workflows.tuning_backbones import (
    SearchOfBackbones,
    nested_backbones,
    prepare_backbones,
)
from hnmets.workflows.tuning_head_scores import nested_heads
from hnmets.workflows.tuning_heads import SearchOfHeads, prepare_heads
from hnmets.workflows.tuning_runs import SearchRuns

AnySearch = SearchOfHeads | SearchOfBackbones
_LOOK_S = 1.0
# Many trials take long to read: the workers need the time more.
_REST, _LONGEST_REST_S = 10, 20.0
_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Request:
    """How a search goes about its work.

    Parameters
    ----------
    target
        `head` or `backbone`.
    device
        `auto`, `cpu` or `cuda`.
    timeout_s
        After which the batches at work are finished and the search is measured as it is; None
        for no limit.
    resume
        Whether there must be a search of just these settings and data already.
    """

    target: Target = "head"
    device: Device = "auto"
    timeout_s: float | None = None
    resume: bool = False


def request_of(target: str, *, device: str, timeout_min: float | None, resume: bool) -> Request:
    """Return what was asked for in words.

    Raises
    ------
    UsageError
        If there is no such target or device.
    """
    wanted_device: Device = named(device, get_args(Device), "device")
    return Request(
        target=target_of(target),
        device=wanted_device,
        timeout_s=None if timeout_min is None else 60 * timeout_min,
        resume=resume,
    )


def target_of(name: str) -> Target:
    """Return the target of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    found: Target = named(name, get_args(Target), "target")
    return found


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a study is.

    Parameters
    ----------
    best, winner
        Highest value among the trials that were trained to their end, and what it comes to: the
        study's own settings, where that is not surely better.
    """

    study: str
    planned: int
    complete: int
    pruned: int
    failed: int
    running: int
    stale: int
    best: Record | None
    winner: Record | None

    @property
    def finished(self) -> int:
        """Trials of which nothing more will become."""
        return self.complete + self.pruned + self.failed

    def as_json(self) -> dict[str, object]:
        """Return how far it is as a JSON object."""
        trials = {"best": self.best, "winner": self.winner}
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return told | {name: record and record.as_json() for name, record in trials.items()}


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What a search found, and what it is worth.

    Parameters
    ----------
    best
        What to register: the winner of the search over everybody. Its own value is no
        performance.
    file
        Study file with these settings.
    run
        Key of the run in MLflow.
    waiting
        Events that MLflow has not taken yet.
    """

    search: AnySearch
    studies: tuple[Progress, ...]
    nested: Nested
    best: Configuration
    file: Path
    run: str
    waiting: int

    @property
    def complete(self) -> bool:
        """Whether every planned trial has ended."""
        return all(each.finished == each.planned for each in self.studies)

    @property
    def next_step(self) -> str:
        """Command that fits the settings of the written study file."""
        if isinstance(self.best, BackboneConfiguration):
            return f"train backbone --backbone {self.best.backbone}"
        return "evaluate tuned"

    def as_json(self) -> dict[str, object]:
        """Return what was found as a JSON object."""
        nested = self.nested
        return {
            "search": self.search.plan.name,
            "run": self.run,
            "complete": self.complete,
            "studies": [each.as_json() for each in self.studies],
            "unsearched": self.search.unsearched,
            "settings": [
                {
                    "name": scores.out_of_fold.rung.name,
                    "oracle_auc": nested.oracles.get(scores.out_of_fold.rung.name),
                    "measures": {n: measured_json(m) for n, m in scores.measures.items()},
                }
                for scores in nested.scores
            ],
            "inner_best": nested.inner_best,
            "gap": nested.gap,
            "outer_aucs": dict(nested.outer_aucs),
            "best": asdict(self.best),
            "file": self.file.name,
        }


def run(
    study: Study,
    request: Request | None = None,
    *,
    on_trial: OnCase = ignore,
    tracker: Tracker | None = None,
    arguments: Sequence[str] = (),
) -> Tuning:
    """Search in every outer fold and over everybody, and score each winner in its outer fold.

    The same call goes on where an earlier one was stopped, and more trials may be asked for.

    Raises
    ------
    InvalidDataError
        If the space or the data do not allow a search, or there is none to resume.
    UsageError
        If the storage cannot serve so many workers, or there is no such device.
    TeamError
        If a worker ended with an error.
    """
    asked = request or Request()
    device = used(asked.device)
    search = prepare(study, asked.target, on_part=on_trial, must_exist=asked.resume)
    with (
        closing(open_records(search)) as records,
        _runs_of(search, tracker, arguments) as runs,
    ):
        records.enqueue()
        runs.begin()
        _work(search, records, device, asked.timeout_s, lambda: _look(records, runs, on_trial))
        return _finished(search, records, runs, on_trial)


def finish(
    study: Study,
    *,
    target: Target = "head",
    on_trial: OnCase = ignore,
    tracker: Tracker | None = None,
    arguments: Sequence[str] = (),
) -> Tuning:
    """Measure a search as far as it is, without trying anything more.

    Raises
    ------
    InvalidDataError
        If there is no search of these settings and data, or an outer fold has no winner.
    """
    search = prepare(study, target, on_part=on_trial, must_exist=True)
    with (
        closing(open_records(search)) as records,
        _runs_of(search, tracker, arguments) as runs,
    ):
        runs.begin()
        _look(records, runs, on_trial)
        return _finished(search, records, runs, on_trial)


def prepare(
    study: Study, target: Target, *, on_part: OnCase = ignore, must_exist: bool = False
) -> AnySearch:
    """Prepare the search of a target; see `prepare_heads` and `prepare_backbones`."""
    if target == "head":
        return prepare_heads(study, on_part=on_part, must_exist=must_exist)
    return prepare_backbones(study, on_part=on_part, must_exist=must_exist)


def open_records(search: AnySearch) -> Records:
    """Open the trials of a search."""
    section = search.study.tuning
    return Records.open(
        search.plan, search.folder, storage=section.storage, workers=section.workers
    )


def progress_of(records: Records) -> tuple[Progress, ...]:
    """Return how far each study is."""
    return tuple(_progress(records, study) for study in records.plan.studies)


def _progress(records: Records, study: str) -> Progress:
    states = [record.state for record in records.of(study)]
    return Progress(
        study=study,
        planned=records.plan.trials,
        complete=states.count("complete"),
        pruned=states.count("pruned"),
        failed=states.count("fail"),
        running=states.count("running"),
        stale=records.stale(study),
        best=records.best(study),
        winner=records.winner(study),
    )


def _work(
    search: AnySearch,
    records: Records,
    device: str,
    timeout_s: float | None,
    look: Callable[[], None],
) -> None:
    """Have workers try what waits; look from time to time how far they are."""
    section = search.study.tuning
    deadline = time.monotonic() + timeout_s if timeout_s is not None else float("inf")
    team = Team(
        arguments=[
            *("-m", "hnmets.tuning", str(search.folder.absolute()), "--until-parent-ends"),
            *("--device", device, "--workers", str(section.workers)),
        ],
        size=section.workers if any(_open(records)) else 0,
        environment={STORAGE: section.storage, "OMP_NUM_THREADS": "1"},
    )
    with team:
        while team.at_work() and time.monotonic() < deadline:
            began = time.monotonic()
            look()
            rest_s = _REST * (time.monotonic() - began)
            time.sleep(min(max(_LOOK_S, rest_s), _LONGEST_REST_S))
    look()


def _open(records: Records) -> Iterator[Record]:
    for study in records.plan.studies:
        yield from (record for record in records.of(study) if not record.finished)


def _look(records: Records, runs: SearchRuns, on_trial: OnCase) -> None:
    """Log what has ended, and tell how far the search is."""
    ended, current = 0, ""
    for study in records.plan.studies:
        trials = records.of(study)
        runs.trials(study, trials)
        ended += sum(record.finished for record in trials)
        current = current or (study if any(not record.finished for record in trials) else "")
    on_trial(current or EVERYBODY, ended, len(records.plan.studies) * records.plan.trials)


def _nested(search: AnySearch, records: Records, on_fold: OnCase) -> Nested:
    if isinstance(search, SearchOfHeads):
        return nested_heads(search, records, on_fold)
    return nested_backbones(search, records, on_fold)


def _finished(search: AnySearch, records: Records, runs: SearchRuns, on_fold: OnCase) -> Tuning:
    """Score the winners, write the study file, and log both."""
    best = records.configuration(winner_of(records, EVERYBODY))
    found = _nested(search, records, on_fold)
    file = write_tuned(search, best, found)
    for study in records.plan.studies:
        runs.study_ended(study, records)
    numbers = {"inner_best": found.inner_best, "gap": found.gap}
    known = {name: value for name, value in numbers.items() if value is not None}
    runs.end(found.tuned.measures, known, file)
    waiting = runs.tracker.close() if isinstance(runs.tracker, SpooledTracker) else 0
    return Tuning(
        search=search,
        studies=progress_of(records),
        nested=found,
        best=best,
        file=file,
        run=runs.key,
        waiting=waiting,
    )


@contextmanager
def _runs_of(
    search: AnySearch, tracker: Tracker | None, arguments: Sequence[str]
) -> Iterator[SearchRuns]:
    """Give the runs of a search, in the study's own tracker where none is given."""
    study, rows = search.study, search.dataset.rows
    settings = {setting.name: setting.value for setting in study.settings()}
    # The first may hold a password, the others may change while a search goes on.
    for name in ("tuning.storage", "tuning.trials", "tuning.workers"):
        settings.pop(name, None)

    def runs(opened: Tracker) -> SearchRuns:
        return SearchRuns(
            tracker=opened,
            experiment=study.about.name,
            plan=search.plan,
            folder=search.folder,
            settings=settings,
            dataset=Dataset(
                name="search",
                digest=search.dataset.digest[:_DIGITS],
                description={
                    "split": search.split.hash[:_DIGITS],
                    "cases": len(rows.case_ids),
                    "events": int(rows.outcome.sum()),
                },
            ),
            environment=capture(arguments, privacy=Privacy.of(study.folder)),
        )

    if tracker is not None:
        yield runs(tracker)
        return
    with open_tracker(study.folder) as opened:
        yield runs(opened)
