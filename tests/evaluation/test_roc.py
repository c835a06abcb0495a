import numpy as np
import pytest

from hnmets.evaluation.discrimination import auc_of
from hnmets.evaluation.estimate import NotEstimable
from hnmets.evaluation.roc import RocCurve, roc_curve
from tests.builders_predictions import binormal, predictions


def traced(outcome: list[int], risk: list[float]) -> RocCurve:
    curve = roc_curve(predictions(outcome, risk))
    assert isinstance(curve, RocCurve)
    return curve


def test_a_perfect_ranking_rises_straight_up() -> None:
    curve = traced([0, 0, 1], [0.1, 0.2, 0.9])
    assert curve.sensitivity.tolist() == [0.0] + [1.0] * 201


def test_one_event_between_two_others_is_found_after_half_of_them() -> None:
    curve = traced([0, 1, 0], [0.1, 0.5, 0.9])
    before = curve.false_positive_rate < 0.5
    assert curve.sensitivity[before].max() == 0.0
    assert curve.sensitivity[~before].min() == 1.0


def test_equal_risks_lie_on_the_diagonal() -> None:
    curve = traced([0, 1, 0, 1], [0.3] * 4)
    np.testing.assert_allclose(curve.sensitivity, curve.false_positive_rate)


def test_the_area_is_the_auc() -> None:
    rng = np.random.default_rng(0)
    first, second = binormal(rng, 400, shift=1.0), binormal(rng, 400, shift=1.0)
    both = predictions(first.outcome, np.stack([first.risk, second.risk]))
    curve = roc_curve(both)
    assert isinstance(curve, RocCurve)
    area = np.trapezoid(curve.sensitivity, curve.false_positive_rate)
    assert area == pytest.approx(auc_of(both), abs=0.005)


def test_patients_lost_before_the_horizon_do_not_bend_the_curve() -> None:
    known = traced([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])
    weighted = roc_curve(
        predictions([0, 1, 0, 1, 0], [0.1, 0.2, 0.3, 0.4, 0.9], weight=[1, 1, 1, 1, 0])
    )
    assert isinstance(weighted, RocCurve)
    np.testing.assert_allclose(weighted.sensitivity, known.sensitivity)


def test_without_an_event_there_is_no_curve() -> None:
    found = roc_curve(predictions([0, 0], [0.1, 0.2]))
    assert isinstance(found, NotEstimable)
    assert found.events == 0
