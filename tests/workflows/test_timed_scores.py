"""Risks by a day: nobody is dropped in silence, and the dead are no lost patients."""

from pathlib import Path

import numpy as np
import pytest

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.rows import Rows
from hnmets.datasets.view import FeatureView
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.predictions import Predictions
from hnmets.execution.local import InProcess
from hnmets.reporting.findings_json import from_json
from hnmets.reporting.timed import Timed
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, features_build
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice, Rung
from hnmets.workflows.study import load_study
from hnmets.workflows.timed_scores import timed_scores

EXAMPLES = Path(__file__).parents[2] / "examples"
BOOTSTRAP = Bootstrap(draws=200, seed=0)
# patient, event, days, died
CASES = [
    ("a", True, 100.0, 0.0),
    ("b", True, 400.0, 0.0),
    ("c", False, 200.0, 1.0),
    ("d", False, 300.0, 0.0),
    ("e", False, 900.0, 1.0),
    ("f", False, 800.0, 0.0),
    ("g", False, np.nan, 0.0),
]


def dataset(cases: list[tuple[str, bool, float, float]]) -> Dataset:
    patients, events, days, died = zip(*cases, strict=True)
    n = len(cases)
    rows = Rows(
        case_ids=tuple(f"{patient}-{place}" for place, patient in enumerate(patients)),
        patient_ids=patients,
        columns=("size.tumour.volume",),
        modalities=("size.tumour",),
        values=np.zeros((n, 1)),
        outcome=np.array(events, dtype=np.bool_),
    )
    return Dataset(
        view=FeatureView(name="view", recipes=("size.tumour",)),
        rows=rows,
        centres=(None,) * n,
        time_days=np.array(days),
        died=np.array(died),
        recipes=(),
        left_out={},
        absent=(),
    )


def scored(data: Dataset, risk: list[float]) -> OutOfFold:
    patients = tuple(dict.fromkeys(data.rows.patient_ids))
    events = {p for p, e in zip(data.rows.patient_ids, data.rows.outcome, strict=True) if e}
    shape = (1, len(patients))
    return OutOfFold(
        rung=Rung(name="rung", recipes=("size.tumour",), model="logistic"),
        predictions=Predictions(
            patient_ids=patients,
            outcome=np.array([patient in events for patient in patients]),
            risk=np.array([risk]),
        ),
        thresholds=np.full(shape, 0.5),
        folds=np.zeros(shape, dtype=np.int64),
        chosen=((),),
        n_fits=1,
    )


def by_day(data: Dataset, risk: list[float], day: float = 500.0) -> Timed:
    found = timed_scores(data, [scored(data, risk)], by_days=day, bootstrap=BOOTSTRAP)
    assert isinstance(found, Timed)
    return found


def test_every_patient_is_counted_once() -> None:
    found = by_day(dataset(CASES), [0.9, 0.8, 0.1, 0.2, 0.3, 0.4, 0.5])
    counts = (found.event, found.died, found.event_free, found.censored, found.untimed)
    assert counts == (2, 1, 2, 1, 1)
    assert sum(counts) == len(CASES)


def test_perfect_risks_win_every_comparison_and_reversed_ones_none() -> None:
    risk = [0.9, 0.8, 0.1, 0.2, 0.3, 0.4, 0.5]
    for sign, expected in ((1, 1.0), (-1, 0.0)):
        found = by_day(dataset(CASES), [0.5 + sign * (value - 0.5) for value in risk]).rungs[0]
        assert isinstance(found.concordance, Estimate)
        assert isinstance(found.auc, Estimate)
        assert (found.concordance.value, found.auc.value) == (expected, expected)


def test_the_dead_do_not_metastasise_later() -> None:
    alive = [(*case[:3], 0.0) for case in CASES]
    dead, lost = (by_day(dataset(each), [0.5] * 7) for each in (CASES, alive))
    assert (dead.died, dead.censored) == (1, 1)
    assert (lost.died, lost.censored) == (0, 2)
    assert isinstance(dead.incidence, Estimate)
    assert isinstance(lost.incidence, Estimate)
    # By hand: 1/6 + 4/6 * 1/3; taking the death for a loss: 1/6 + 5/6 * 1/3.
    assert dead.incidence.value == pytest.approx(1 / 6 + 4 / 6 / 3)
    assert lost.incidence.value == pytest.approx(1 / 6 + 5 / 6 / 3)


def test_of_two_cases_of_a_patient_the_first_event_counts_or_the_longest_watch() -> None:
    more = [*CASES, ("a", True, 50.0, 0.0), ("d", False, 950.0, 0.0), ("b", False, 999.0, 0.0)]
    found = by_day(dataset(more), [0.5] * 7, day=450.0)
    assert (found.event, found.event_free, found.censored) == (2, 3, 0)
    assert by_day(dataset(more), [0.5] * 7, day=99.0).event == 1


def test_some_of_the_cases_keep_their_times_and_deaths() -> None:
    some = dataset(CASES).among({"c-2", "d-3", "e-4"}, reason="not asked for")
    assert some.time_days.tolist() == [200.0, 300.0, 900.0]
    assert some.died.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("day", [900.0, 2000.0])
def test_a_horizon_that_nobody_was_watched_beyond_has_a_reason(day: float) -> None:
    data = dataset(CASES)
    found = timed_scores(data, [scored(data, [0.5] * 7)], by_days=day, bootstrap=BOOTSTRAP)
    assert found == f"nobody was watched beyond day 900; asked is day {day:g}"


def test_a_table_without_times_has_a_reason() -> None:
    data = dataset([(p, event, np.nan, np.nan) for p, event, *_ in CASES])
    found = timed_scores(data, [scored(data, [0.5] * 7)], by_days=500, bootstrap=BOOTSTRAP)
    assert found == "the table has no times"


@pytest.mark.real_data
def test_head_neck_pet_ct_by_two_years(real_data: Path, tmp_path: Path) -> None:
    text = (EXAMPLES / "hn-pet-ct/study-volumes.toml").read_text()
    (tmp_path / "study.toml").write_text(text)
    flags = {"split.repeats": 1, "evaluation.draws": 200}
    environ = {"HNMETS_REAL_DATA": str(real_data)}
    study = load_study(tmp_path / "study.toml", environ=environ, flags=flags)
    features_build.run(study, Request(), executor=InProcess())
    choice = Choice(only=("age + sex", "tumour volume"))
    tracker = InMemoryTracker()
    found = ablate.run(study, choice=choice, tracker=tracker)
    timed = found.timed
    assert isinstance(timed, Timed)
    counts = (timed.event, timed.died, timed.event_free, timed.censored, timed.untimed)
    # 26 events and 20 patients who left earlier, as the flow of the outcome counts them.
    assert counts == (26, 12, 248, 8, 4)
    volume = next(each.auc for each in timed.rungs if each.rung == "tumour volume")
    assert isinstance(volume, Estimate)
    assert 0.65 < volume.value < 0.8
    follow_up = from_json(found.findings.read_text()).endpoint.follow_up_days
    assert follow_up == np.median(found.dataset.time_days[~found.dataset.rows.outcome])
    logged = [kept.values for kept in tracker.runs.values()]
    assert round(volume.value, 4) in [values.get("auc_by_horizon") for values in logged]
