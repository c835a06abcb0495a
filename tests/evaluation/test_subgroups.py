"""Subgroups: a planted bias is found, small ones say nothing."""

import numpy as np
import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import Calibration
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.evaluation.subgroups import subgroup_table
from tests.builders_predictions import calibrated, predictions

FEW = Bootstrap(draws=300)


def test_a_planted_bias_is_found() -> None:
    rng = np.random.default_rng(0)
    cohort = calibrated(rng, 1200)
    group = np.where(np.arange(1200) < 600, "women", "men")
    # in men the risks are shuffled: right on average, but of the wrong patients
    risk = cohort.risk.copy()
    risk[600:] = rng.permutation(risk[600:])
    men, women = subgroup_table(predictions(cohort.outcome, risk), list(group), FEW)
    assert (men.name, men.n, women.name, women.n) == ("men", 600, "women", 600)
    assert isinstance(men.auc, Estimate)
    assert isinstance(women.auc, Estimate)
    assert men.auc.low < 0.5 < men.auc.high < women.auc.low
    assert isinstance(men.calibration, Calibration)
    assert isinstance(men.calibration.slope, Estimate)
    assert men.calibration.slope.high < 0.5


def test_a_subgroup_is_evaluated_as_if_it_were_alone() -> None:
    cohort = calibrated(np.random.default_rng(1), 300)
    group = ["a" if number % 3 else "b" for number in range(300)]
    rows = subgroup_table(cohort, group, FEW)
    alone = cohort.of(np.array(group) == "b")
    assert rows[1].auc == pooled_auc(alone, FEW)
    assert (rows[0].n, rows[1].n) == (200, 100)
    assert rows[0].events + rows[1].events == cohort.events


def test_fewer_than_ten_events_are_not_estimable() -> None:
    outcome = np.array([1] * 9 + [0] * 50 + [1] * 10 + [0] * 50)
    rng = np.random.default_rng(2)
    small, enough = subgroup_table(
        predictions(outcome, rng.random(119)), ["a"] * 59 + ["b"] * 60, FEW
    )
    assert small.auc == NotEstimable(
        reason="fewer than 10 patients with or without the event", n=59, events=9
    )
    assert small.calibration == small.auc
    assert isinstance(enough.auc, Estimate)


def test_patients_of_unknown_group_have_a_row_of_their_own() -> None:
    rows = subgroup_table(predictions([1, 0, 1], [0.1, 0.2, 0.3]), ["b", None, "a"], FEW)
    assert [(row.name, row.n) for row in rows] == [("a", 1), ("b", 1), (None, 1)]


def test_groups_come_in_the_order_that_is_asked_for_and_the_others_behind() -> None:
    given = predictions([1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5])
    rows = subgroup_table(
        given, ["b", None, "a", "old", "young"], FEW, order=["young", "old", "x"]
    )
    assert [row.name for row in rows] == ["young", "old", "a", "b", None]


def test_groups_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="1 groups for 2 patients"):
        subgroup_table(predictions([1, 0], [0.1, 0.2]), ["a"], FEW)
