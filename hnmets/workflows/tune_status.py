"""`tune status` and `tune show`: what is known of the searches of a study."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.tuning.plan import FILE, read_plan
from hnmets.tuning.records import Record, Records
from hnmets.workflows.searches import search_folder
from hnmets.workflows.study import Study
from hnmets.workflows.tune import Progress, progress_of


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The trials of one study.

    Parameters
    ----------
    best
        Those with a value, the highest first.
    failures
        How often each reason was met.
    importance
        How much each setting decides, falling.
    """

    best: tuple[Record, ...]
    failures: Mapping[str, int]
    importance: Mapping[str, float]

    def as_json(self) -> dict[str, object]:
        """Return the trials as a JSON object."""
        return {
            "trials": [record.as_json() for record in self.best],
            "failures": dict(self.failures),
            "importance": dict(self.importance),
        }


def run(study: Study) -> dict[str, tuple[Progress, ...]]:
    """Return how far each search of the study's store is."""
    found = {}
    for folder in _folders(study):
        with closing(_records(study, folder)) as records:
            found[folder.name] = progress_of(records)
    return found


def trials(study: Study, search: str, *, fold: str) -> Trials:
    """Return the trials of one study of a search.

    Raises
    ------
    UsageError
        If there is no such search, or no such study in it.
    """
    folder = search_folder(study, search)
    if folder not in _folders(study):
        names = ", ".join(each.name for each in _folders(study)) or "none"
        raise UsageError(f"no search '{search}'").with_note(f"There are {names}.")
    with closing(_records(study, folder)) as records:
        return _trials(records, fold)


def _trials(records: Records, fold: str) -> Trials:
    if fold not in records.plan.studies:
        raise UsageError(f"{records.plan.name} has no study '{fold}'").with_note(
            f"There are {', '.join(records.plan.studies)}."
        )
    own = records.of(fold)
    scored = [record for record in own if record.value is not None]
    return Trials(
        best=tuple(sorted(scored, key=lambda r: (r.state != "complete", -(r.value or 0.0)))),
        failures=dict(Counter(r.reason for r in own if r.state == "fail").most_common()),
        importance=records.importance(fold),
    )


def _folders(study: Study) -> list[Path]:
    place = search_folder(study, "")
    return sorted(file.parent for file in place.glob(f"*/{FILE}"))


def _records(study: Study, folder: Path) -> Records:
    return Records.open(read_plan(folder), folder, storage=study.tuning.storage)
