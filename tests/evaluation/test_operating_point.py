"""The threshold is chosen on training patients and does what it does elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.evaluation.operating_point import operating_point, wilson
from hnmets.evaluation.youden import youden_threshold
from tests.builders_predictions import predictions


def value(measured: Estimate | NotEstimable) -> float:
    assert isinstance(measured, Estimate)
    return measured.value


def test_youdens_threshold_by_hand() -> None:
    # sensitivity - false positive rate from the top: 0.9: 1/2; 0.7: 1/2 - 1/3; 0.6: 1 - 1/3
    outcome = np.array([True, False, True, False, False])
    risk = np.array([0.9, 0.7, 0.6, 0.3, 0.1])
    assert youden_threshold(outcome, risk) == 0.6


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    # 0.9: 1/2 - 0; 0.6: 1 - 1/2
    outcome, risk = np.array([True, False, True, False]), np.array([0.9, 0.7, 0.6, 0.3])
    assert youden_threshold(outcome, risk) == 0.9


def test_equal_risks_are_called_together() -> None:
    # at 0.5 all four are positive; no cut between them may be imagined
    outcome, risk = np.array([True, True, False, False]), np.full(4, 0.5)
    assert youden_threshold(outcome, risk) == 0.5


@given(shift=st.floats(-3, 3), seed=st.integers(0, 1000))
def test_the_threshold_moves_with_the_scale_of_the_risks(shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.append(rng.random(20) < 0.4, [True, False])
    risk = rng.integers(8, size=22).astype(float)
    moved = youden_threshold(outcome, risk + shift)
    assert moved == pytest.approx(youden_threshold(outcome, risk) + shift)


def test_training_patients_of_one_class_choose_no_threshold() -> None:
    with pytest.raises(InvalidDataError, match="0 of 3 training patients have the event"):
        youden_threshold(np.zeros(3, bool), np.arange(3.0))


def test_a_table_of_ten_patients_by_hand() -> None:
    # called: 3 events and 2 others; not called: 1 event and 4 others
    found = operating_point(predictions([1] * 4 + [0] * 6, [1, 1, 1, 0, 1, 1, 0, 0, 0, 0]), 0.5)
    assert found.prevalence == 0.4
    assert found.blind_accuracy == 0.6
    assert value(found.accuracy) == pytest.approx(7 / 10)
    assert value(found.sensitivity) == pytest.approx(3 / 4)
    assert value(found.specificity) == pytest.approx(4 / 6)
    assert value(found.ppv) == pytest.approx(3 / 5)
    assert value(found.npv) == pytest.approx(4 / 5)
    assert value(found.balanced_accuracy) == pytest.approx((3 / 4 + 4 / 6) / 2)


def test_a_risk_at_the_threshold_is_positive() -> None:
    assert value(operating_point(predictions([1, 0], [0.3, 0.2]), 0.3).sensitivity) == 1


def test_calling_nobody_is_shown_as_useless() -> None:
    found = operating_point(predictions([1] * 15 + [0] * 85, np.zeros(100)), 0.5)
    assert value(found.accuracy) == found.blind_accuracy == 0.85
    assert value(found.balanced_accuracy) == 0.5
    assert value(found.sensitivity) == 0
    assert value(found.specificity) == 1
    assert found.ppv == NotEstimable(reason="no patients called positive", n=100, events=15)


def test_other_outcomes_do_not_change_who_is_called() -> None:
    risk = np.linspace(0, 1, 50)
    first = operating_point(predictions(risk > 0.4, risk), 0.6)
    second = operating_point(predictions(risk < 0.4, risk), 0.6)
    # right and wrong change places among those called
    assert value(first.ppv) == pytest.approx(1 - value(second.ppv))


def test_each_patient_has_the_threshold_of_its_fold() -> None:
    found = predictions([1, 0, 1, 0], [[0.2, 0.1, 0.9, 0.8], [0.2, 0.1, 0.9, 0.8]])
    by_fold = np.array([[0.15, 0.15, 0.85, 0.85], [0.5, 0.5, 0.5, 0.5]])
    # first repeat all right; second: one event missed, one other called
    assert value(operating_point(found, by_fold).accuracy) == pytest.approx((1 + 0.5) / 2)


def test_thresholds_that_do_not_fit_are_refused() -> None:
    found = predictions([1, 0], [0.2, 0.1])
    with pytest.raises(InvalidDataError, match=r"thresholds \(3,\) for risks \(2,\)"):
        operating_point(found, np.ones(3))
    with pytest.raises(InvalidDataError, match="thresholds"):
        operating_point(found, float("nan"))


@given(right=st.integers(0, 40), wrong=st.integers(0, 40))
def test_wilson_is_that_of_statsmodels(right: int, wrong: int) -> None:
    n = right + wrong
    if n == 0:
        return
    expected = proportion_confint(right, n, method="wilson")
    np.testing.assert_allclose(wilson(right / n, n, level=0.95), expected, atol=1e-12)


def test_few_patients_all_right_are_not_certain() -> None:
    # Wilson for 5 of 5: 5 / (5 + z²)
    found = operating_point(predictions([1] * 5 + [0] * 5, [1] * 5 + [0] * 5), 0.5)
    assert isinstance(found.sensitivity, Estimate)
    assert found.sensitivity.low == pytest.approx(5 / (5 + 1.959964**2), abs=1e-6)
    assert isinstance(found.balanced_accuracy, Estimate)
    # 1 - √2 · (1 - low) / 2
    expected = 1 - np.sqrt(2) * (1 - found.sensitivity.low) / 2
    assert found.balanced_accuracy.low == pytest.approx(expected)


def test_weighted_patients_count_as_fewer() -> None:
    # Kish: (1 + 1 + 4)² / (1 + 1 + 16) = 2
    found = operating_point(predictions([1, 1, 1], [1, 0, 1], [1, 1, 4]), 0.5)
    assert isinstance(found.sensitivity, Estimate)
    assert found.sensitivity.value == pytest.approx(5 / 6)
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx(
        wilson(5 / 6, 2.0, level=0.95)
    )
