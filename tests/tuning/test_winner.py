from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hnmets.tuning.plan import EVERYBODY
from hnmets.tuning.records import Records
from hnmets.tuning.worker import open_study
from tests.builders_searches import written

OWN = {"radiomics": "radiomics.tumour", "top": 3}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    plan = written(tmp_path, trials=3, own=OWN)
    opened = Records.open(plan, tmp_path, storage="")
    opened.enqueue()
    yield opened
    opened.close()


def tell(records: Records, *aucs: Sequence[float]) -> None:
    """Give the trials, from the first on, these AUCs of the inner folds."""
    study = open_study(records.storage, records.plan.name, EVERYBODY)
    for values in aucs:
        trial = study.ask()
        trial.set_user_attr("aucs", list(values))
        study.tell(trial, sum(values) / len(values))


def test_the_first_trial_chooses_the_settings_of_the_study(records: Records) -> None:
    study = open_study(records.storage, records.plan.name, EVERYBODY)
    first = study.ask()
    assert first.suggest_categorical("radiomics", ["radiomics.tumour", "none"]) == OWN["radiomics"]
    assert first.suggest_categorical("top", [3, 6]) == OWN["top"]
    assert [record.own for record in records.of(EVERYBODY)] == [True, False, False]


def test_planning_again_adds_no_second_one(records: Records) -> None:
    records.enqueue()
    assert [record.own for record in records.of(EVERYBODY)] == [True, False, False]


# Leads of 0.06, 0.05, 0.07, 0.06, 0.06: mean 0.06, deviation 0.0071. The interval's variance is
# 0.0071^2 (1/5 + 1/4), its root 0.0047; 2.132 times that is 0.010, less than the mean.
SURE = (0.76, 0.75, 0.77, 0.76, 0.76)
# Leads of 0.20, -0.05, 0.00, 0.15, 0.00: mean 0.06, deviation 0.1084; 2.132 * 0.0727 = 0.155.
LUCKY = (0.90, 0.65, 0.70, 0.85, 0.70)


@pytest.mark.parametrize(("aucs", "winner"), [(SURE, 1), (LUCKY, 0)])
def test_the_best_trial_wins_where_its_lead_is_sure(
    records: Records, aucs: tuple[float, ...], winner: int
) -> None:
    tell(records, [0.70] * 5, aucs, [0.5] * 5)
    best, found = records.best(EVERYBODY), records.winner(EVERYBODY)
    assert best is not None
    assert found is not None
    assert (best.number, found.number) == (1, winner)


def test_with_one_inner_fold_every_lead_counts(records: Records) -> None:
    tell(records, [0.70], [0.71])
    found = records.winner(EVERYBODY)
    assert found is not None
    assert found.number == 1


def test_without_settings_of_its_own_the_best_trial_wins(tmp_path: Path) -> None:
    plan = written(tmp_path, trials=2)
    records = Records.open(plan, tmp_path, storage="")
    records.enqueue()
    tell(records, [0.70, 0.70], [0.90, 0.55])
    found = records.winner(EVERYBODY)
    assert found is not None
    assert found.number == 1
