"""A search end to end, with real workers, on a small study with every modality."""

import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.estimate import Estimate
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.naming import Kind
from hnmets.tuning.plan import EVERYBODY, read_plan
from hnmets.workflows import ablate, tune, tune_export, tune_status
from hnmets.workflows.ladder import Choice
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.tune import Request, Tuning
from hnmets.workflows.tuning_heads import checked_space
from tests.builders_ladders import every_modality
from tests.builders_searches import EVERY_MODALITY_SEARCH, start_worker

FOLDS = ("repeat 1 fold 1", "repeat 1 fold 2")


def quick(
    folder: Path, *, cases: int = 120, seed: int = 5, effect: float = 1.0, **flags: object
) -> Study:
    """The study with every modality, and a small search in its file."""
    folder.mkdir(exist_ok=True)
    study = every_modality(folder, cases=cases, seed=seed, effect=effect)
    study.file.write_text(study.file.read_text() + EVERY_MODALITY_SEARCH)
    return load_study(study.file, environ={}, flags=flags)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return quick(tmp_path_factory.mktemp("tune"))


@pytest.fixture(scope="module")
def tracker() -> InMemoryTracker:
    return InMemoryTracker()


@pytest.fixture(scope="module")
def found(study: Study, tracker: InMemoryTracker) -> Tuning:
    return tune.run(study, Request(device="cpu"), tracker=tracker)


def test_there_is_one_study_per_outer_fold_and_one_over_everybody(found: Tuning) -> None:
    assert [each.study for each in found.studies] == [*FOLDS, EVERYBODY]
    assert all(each.finished == each.planned == 10 for each in found.studies)
    assert found.complete


def test_a_search_is_known_while_its_parts_are_prepared(tmp_path: Path) -> None:
    study = quick(tmp_path)
    seen: list[tuple[int, dict[str, list[int]]]] = []

    def ask(_what: str, done: int, _of: int) -> None:
        told = tune_status.run(study)
        seen.append((done, {name: [p.planned for p in each] for name, each in told.items()}))

    search = tune.prepare(study, "head", on_part=ask)
    assert seen[0] == (0, {search.plan.name: [10, 10, 10]})
    assert list(search.folder.glob("parts/*/*.npz"))


def test_the_winners_are_scored_beside_what_they_have_to_beat(found: Tuning) -> None:
    names = [scores.out_of_fold.rung.name for scores in found.nested.scores]
    assert names == ["clinical + size", "all, fused", "tuned"]
    tuned = found.nested.tuned
    assert tuned.out_of_fold.predictions.n == 120
    assert isinstance(tuned.measures["auc"], Estimate)
    against = tuned.against_previous
    assert against is not None
    assert against.against == "all, fused"


def test_the_gap_between_inner_and_outer_folds_is_told(found: Tuning) -> None:
    winners = [record.value for record in found.nested.winners.values()]
    outer = list(found.nested.outer_aucs.values())
    assert found.nested.gap == pytest.approx(np.mean(winners) - np.mean(outer))


def test_every_trial_is_a_run_below_that_of_its_fold(
    found: Tuning, tracker: InMemoryTracker
) -> None:
    runs = tracker.runs
    kinds = Counter(kept.run.tags["kind"] for kept in runs.values())
    assert kinds == {Kind.SEARCH.value: 1, Kind.STUDY.value: 3, Kind.TRIAL.value: 30}
    assert all(kept.status is not None for kept in runs.values())
    trials = [kept for kept in runs.values() if kept.run.tags["kind"] == Kind.TRIAL.value]
    complete = [kept for kept in trials if kept.run.tags["state"] == "complete"]
    assert complete
    for kept in complete:
        folds = [value for name, value in kept.values.items() if name.startswith("inner_fold")]
        assert kept.values["inner_auc"] == pytest.approx(np.mean(folds), abs=1e-9)
    assert all("auc" not in kept.values for kept in trials)


def test_the_search_has_its_figures_curves_and_settings(
    found: Tuning, tracker: InMemoryTracker
) -> None:
    kept = tracker.runs[found.run]
    assert kept.values["auc"] == pytest.approx(
        round(found.nested.tuned.measures["auc"].value, 4)  # type: ignore[union-attr]  # shown above
    )
    figures = {name for name in kept.artifacts if name.startswith("figures/")}
    assert {"figures/history.svg", "figures/slice.svg", "figures/parallel.svg"} <= figures
    assert found.file.name in kept.artifacts
    curves = pq.read_table(io.BytesIO(kept.artifacts["curves.parquet"])).to_pydict()
    assert set(curves["study"]) == {*FOLDS, EVERYBODY}
    assert set(curves["fold"]) == {1, 2, 3}
    assert max(curves["epoch"]) == 8


def test_the_settings_are_a_study_file_that_can_be_evaluated(found: Tuning) -> None:
    written = load_study(found.file, environ={})
    assert written.head == found.best.head
    assert written.selection.top == found.best.top
    evaluated = ablate.run(written, choice=Choice(only=("tuned",)), tracker=InMemoryTracker())
    assert evaluated.scores[-1].out_of_fold.rung.name == "tuned"
    (remark,) = [text for text in evaluated.remarks if found.search.plan.name in text]
    assert "were searched for on these patients" in remark


def test_the_same_command_does_nothing_twice_and_more_trials_go_on(tmp_path: Path) -> None:
    study, tracker = quick(tmp_path, **{"tuning.trials": 4}), InMemoryTracker()
    found = tune.run(study, Request(device="cpu"), tracker=tracker)
    before = dict(tracker.runs)
    again = tune.run(study, Request(device="cpu", resume=True), tracker=tracker)
    assert tracker.runs.keys() == before.keys()
    assert again.nested.tuned.measures["auc"] == found.nested.tuned.measures["auc"]
    more = load_study(study.file, environ={}, flags={"tuning.trials": 6})
    longer = tune.run(more, Request(device="cpu", resume=True), tracker=tracker)
    assert [each.finished for each in longer.studies] == [6, 6, 6]
    assert len(tracker.runs) == len(before) + 6


def test_status_and_show_tell_what_there_is(found: Tuning, study: Study) -> None:
    name = found.search.plan.name
    status = tune_status.run(study)
    assert [each.running + each.stale for each in status[name]] == [0, 0, 0]
    shown = tune_status.trials(study, name, fold=EVERYBODY)
    values = [record.value or 0 for record in shown.best if record.state == "complete"]
    assert values == sorted(values, reverse=True)
    json.dumps(shown.as_json(), allow_nan=False)
    json.dumps(found.as_json(), allow_nan=False)
    with pytest.raises(UsageError, match="no search 'another'") as caught:
        tune_status.trials(study, "another", fold=EVERYBODY)
    assert name in caught.value.__notes__[0]


def test_no_case_is_named_in_the_folder_of_a_search(found: Tuning, study: Study) -> None:
    for file in filter(Path.is_file, found.search.folder.rglob("*")):
        assert b"HN-0" not in file.read_bytes(), file.name


def test_an_exported_search_is_worked_on_elsewhere_and_finished_here(tmp_path: Path) -> None:
    study = quick(tmp_path / "home", **{"tuning.trials": 4})
    away = tmp_path / "away"
    back = tune_export.run(study, away)
    assert read_plan(away) == read_plan(back)
    assert start_worker(away).wait(timeout=200) == 0
    for file in filter(Path.is_file, away.rglob("*")):
        target = back / file.relative_to(away)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    finished = tune.finish(study, tracker=InMemoryTracker())
    assert [each.finished for each in finished.studies] == [4, 4, 4]
    with pytest.raises(UsageError, match="is there already"):
        tune_export.run(study, away)


def test_finishing_what_was_never_begun_says_so(tmp_path: Path) -> None:
    study = quick(tmp_path)
    with pytest.raises(InvalidDataError, match="there is no search of these settings and data"):
        tune.finish(study, tracker=InMemoryTracker())


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("radiomics", [["radiomics.nose"]], "radiomics names 'radiomics.nose'"),
        ("embeddings", ["embedding.trained"], "embeddings names 'embedding.trained'"),
    ],
)
def test_a_space_that_the_store_cannot_fill_is_refused_before_the_first_trial(
    study: Study, setting: str, value: list[object], reason: str
) -> None:
    wrong = load_study(study.file, environ={}, flags={f"tuning.head.{setting}": value})
    with pytest.raises(InvalidDataError, match=reason):
        tune.run(wrong, Request(device="cpu"), tracker=InMemoryTracker())


def test_by_default_the_tumour_is_tried_alone_and_with_each_ring(
    study: Study, found: Tuning
) -> None:
    tumour = next(r for r in found.search.dataset.recipes if r.name == "radiomics.tumour")
    rings = [replace(tumour, name=f"radiomics.ring{width}") for width in (3, 5)]
    space = checked_space(study.tuning.head, [tumour, *rings], study)
    assert space.radiomics == (
        ("radiomics.tumour",),
        ("radiomics.ring3",),
        ("radiomics.ring5",),
        ("radiomics.tumour", "radiomics.ring3"),
        ("radiomics.tumour", "radiomics.ring5"),
    )
    assert space.embeddings == ("none",)


def test_too_few_events_for_inner_folds_stop_the_search_with_the_reason(tmp_path: Path) -> None:
    study = quick(tmp_path, **{"tuning.inner_folds": 60})
    with pytest.raises(InvalidDataError, match=r"nothing can be searched for in .*60 folds"):
        tune.run(study, Request(device="cpu"), tracker=InMemoryTracker())


def test_an_inner_fold_that_lacks_events_stops_the_search_with_its_reason(tmp_path: Path) -> None:
    # Three events in the training part: the first inner fold has two to learn from, the second
    # has one.
    study = quick(tmp_path, cases=24, seed=30, **{"tuning.inner_folds": 2})
    with pytest.raises(InvalidDataError, match=r"fold 1: training: 1 patient with the event"):
        tune.run(study, Request(device="cpu"), tracker=InMemoryTracker())


@pytest.mark.slow
def test_of_noise_the_inner_best_promises_and_the_outer_folds_do_not_keep(tmp_path: Path) -> None:
    outer, inner = [], []
    for seed in range(3):
        flags = {"tuning.trials": 20, "tuning.workers": 2}
        study = quick(tmp_path / f"{seed}", cases=240, seed=seed, effect=0.0, **flags)
        found = tune.run(study, Request(device="cpu"), tracker=InMemoryTracker())
        outer += list(found.nested.outer_aucs.values())
        inner.append(found.nested.inner_best)
    assert min(inner) > 0.55
    assert 0.45 < np.mean(outer) < 0.55
