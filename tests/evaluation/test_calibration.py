"""Calibration of risks whose truth is known, and of those that have no answer."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import expit, logit

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import (
    calibration,
    calibration_intercept,
    calibration_slope,
)
from hnmets.evaluation.calibration_curve import CalibrationCurve, calibration_curve
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.spline import basis
from tests.builders_predictions import calibrated, predictions

FEW = Bootstrap(draws=200)


def value(measured: Measured) -> float:
    assert isinstance(measured, Estimate)
    return measured.value


def changed(of: Predictions, *, times: float = 1.0, plus: float = 0.0) -> Predictions:
    return predictions(of.outcome, expit(times * logit(of.risk) + plus))


@pytest.fixture(scope="module")
def perfect() -> Predictions:
    return calibrated(np.random.default_rng(0), 20_000)


def test_true_risks_are_calibrated(perfect: Predictions) -> None:
    found = calibration(perfect, FEW)
    assert value(found.slope) == pytest.approx(1, abs=0.05)
    assert value(found.intercept) == pytest.approx(0, abs=0.05)
    assert value(found.observed_expected) == pytest.approx(1, abs=0.03)
    assert isinstance(found.curve, CalibrationCurve)
    assert found.curve.ici < 0.01
    # the Brier score of true risks is the mean of p(1 - p)
    assert value(found.brier) == pytest.approx(
        (perfect.risk * (1 - perfect.risk)).mean(), abs=0.004
    )


def test_twice_the_log_odds_have_half_the_slope(perfect: Predictions) -> None:
    doubled = value(calibration_slope(changed(perfect, times=2)))
    assert doubled == pytest.approx(0.5, abs=0.025)
    assert doubled == pytest.approx(value(calibration_slope(perfect)) / 2, rel=1e-5)


def test_one_more_in_log_odds_is_minus_one_in_the_intercept(perfect: Predictions) -> None:
    moved = value(calibration_intercept(changed(perfect, plus=1)))
    assert moved == pytest.approx(-1, abs=0.05)
    assert moved == pytest.approx(value(calibration_intercept(perfect)) - 1, abs=1e-5)


def test_two_groups_by_hand() -> None:
    # predicted 0.2 and 0.6, observed 3/10 and 5/10: the line goes through both points
    found = predictions([1] * 3 + [0] * 7 + [1] * 5 + [0] * 5, [0.2] * 10 + [0.6] * 10)
    slope = (logit(0.5) - logit(0.3)) / (logit(0.6) - logit(0.2))
    assert value(calibration_slope(found)) == pytest.approx(slope)
    # as many events as predicted after the shift: 8 = 10·expit(a + logit 0.2) + 10·expit(…)
    shift = brentq(lambda a: 10 * (expit(a + logit(0.2)) + expit(a + logit(0.6))) - 8, -5, 5)
    assert value(calibration_intercept(found)) == pytest.approx(shift, abs=1e-6)
    result = calibration(found, FEW)
    assert value(result.observed_expected) == pytest.approx(8 / (10 * 0.2 + 10 * 0.6))
    brier = (3 * 0.8**2 + 7 * 0.2**2 + 5 * 0.4**2 + 5 * 0.6**2) / 20
    assert value(result.brier) == pytest.approx(brier)
    assert value(result.scaled_brier) == pytest.approx(1 - brier / (0.4 * 0.6))


def test_a_constant_risk_has_every_answer_that_exists() -> None:
    found = calibration(predictions([1] * 20 + [0] * 80, np.full(100, 0.3)), Bootstrap())
    assert found.slope == NotEstimable(reason="all risks are equal", n=100, events=20)
    assert value(found.intercept) == pytest.approx(logit(0.2) - logit(0.3))
    assert value(found.observed_expected) == pytest.approx(2 / 3)
    # 0.2·0.8 + (0.3 - 0.2)²
    assert value(found.brier) == pytest.approx(0.17)
    assert value(found.scaled_brier) == pytest.approx(1 - 0.17 / 0.16)
    assert isinstance(found.curve, CalibrationCurve)
    np.testing.assert_allclose(found.curve.risk, [0.3])
    np.testing.assert_allclose(found.curve.observed, [0.2])
    assert (found.curve.ici, found.curve.e50, found.curve.e90) == pytest.approx((0.1,) * 3)


def test_the_prevalence_for_everybody_has_a_scaled_brier_of_zero() -> None:
    found = calibration(predictions([1] * 20 + [0] * 80, np.full(100, 0.2)), FEW)
    assert value(found.scaled_brier) == pytest.approx(0)
    assert value(found.observed_expected) == pytest.approx(1)


def test_separated_patients_have_no_slope() -> None:
    risk = np.linspace(0.9, 0.1, 40)
    found = calibration(predictions([1] * 15 + [0] * 25, risk), FEW)
    assert isinstance(found.slope, NotEstimable)
    assert isinstance(found.curve, NotEstimable)
    assert "separate" in found.slope.reason
    assert isinstance(found.intercept, Estimate)


def test_one_class_is_not_estimable() -> None:
    found = calibration(predictions([0] * 30, np.linspace(0.1, 0.9, 30)), FEW)
    for measured in (found.intercept, found.slope, found.scaled_brier, found.curve):
        assert isinstance(measured, NotEstimable)
    assert value(found.observed_expected) == 0


def test_risks_of_zero_and_one_have_finite_answers() -> None:
    rng = np.random.default_rng(1)
    found = calibrated(rng, 300)
    risk = found.risk.copy()
    risk[:3], risk[3:6] = 0.0, 1.0
    assert isinstance(calibration_slope(predictions(found.outcome, risk)), Estimate)


def test_scores_are_not_taken_for_risks() -> None:
    with pytest.raises(InvalidDataError, match="risks from -2 to 3 are no probabilities"):
        calibration(predictions([1, 0], [3.0, -2.0]), FEW)


def test_few_patients_have_no_curve() -> None:
    found = calibration_curve(predictions([1] * 9 + [0] * 50, np.linspace(0.1, 0.9, 59)))
    assert found == NotEstimable(
        reason="needs 10 patients with and without the event", n=59, events=9
    )


def test_risks_that_differ_by_rounding_have_no_curve() -> None:
    rng = np.random.default_rng(3)
    risk = 0.3 + 1e-15 * rng.integers(0, 40, 200)
    found = calibration_curve(predictions(rng.random(200) < risk, risk))
    assert isinstance(found, NotEstimable)
    assert found.reason == "the risks differ too little for a curve"


def test_the_curve_finds_a_bent_truth(perfect: Predictions) -> None:
    rng = np.random.default_rng(2)
    truth = perfect.risk**2
    found = calibration_curve(predictions(rng.random(20_000) < truth, perfect.risk))
    assert isinstance(found, CalibrationCurve)
    np.testing.assert_allclose(found.observed, found.risk**2, atol=0.05)
    assert found.ici == pytest.approx(np.abs(perfect.risk - truth).mean(), abs=0.01)
    assert found.e50 == pytest.approx(np.median(np.abs(perfect.risk - truth)), abs=0.01)
    assert found.e90 == pytest.approx(np.quantile(np.abs(perfect.risk - truth), 0.9), abs=0.01)
    assert (found.low <= found.observed).all()
    assert (found.observed <= found.high).all()


def test_a_weight_counts_as_so_many_copies() -> None:
    rng = np.random.default_rng(3)
    found = calibrated(rng, 400)
    weight = rng.integers(1, 4, size=400)
    copied = np.repeat(np.arange(400), weight)
    weighted = predictions(found.outcome, found.risk, weight)
    apart = predictions(found.outcome[copied], found.risk[copied])
    for measure in (calibration_intercept, calibration_slope):
        assert value(measure(weighted)) == pytest.approx(value(measure(apart)), abs=1e-6)


def test_equal_repeats_count_as_one() -> None:
    found = calibrated(np.random.default_rng(4), 400)
    once = calibration_slope(found)
    thrice = calibration_slope(predictions(found.outcome, [found.risk] * 3))
    assert isinstance(once, Estimate)
    assert isinstance(thrice, Estimate)
    assert thrice.value == pytest.approx(once.value)
    assert thrice.low == pytest.approx(once.low, abs=0.002)


@pytest.mark.slow
def test_intervals_of_slope_and_intercept_and_the_band_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    slope = intercept = band = 0
    for _ in range(200):
        found = calibrated(rng, 500)
        one, two = calibration_slope(found), calibration_intercept(found)
        curve = calibration_curve(found)
        assert isinstance(one, Estimate)
        assert isinstance(two, Estimate)
        assert isinstance(curve, CalibrationCurve)
        slope += one.low <= 1 <= one.high
        intercept += two.low <= 0 <= two.high
        middle = np.searchsorted(curve.risk, np.median(found.risk))
        band += curve.low[middle] <= curve.risk[middle] <= curve.high[middle]
    for covered in (slope, intercept, band):
        assert 0.90 <= covered / 200 <= 0.98


def test_the_spline_spans_natural_cubic_splines() -> None:
    knots = np.array([-2.0, -0.5, 0.3, 1.7])
    natural = CubicSpline(knots, [0.3, -1.0, 2.0, 0.5], bc_type="natural")
    grid = np.linspace(-2, 1.7, 200)
    design = np.column_stack([np.ones(200), basis(grid, knots)])
    coefficients, *_ = np.linalg.lstsq(design, natural(grid), rcond=None)
    np.testing.assert_allclose(design @ coefficients, natural(grid), atol=1e-9)


def test_the_spline_is_straight_beyond_its_knots() -> None:
    knots = np.array([-1.0, 0.0, 0.5, 1.0])
    for beyond in (np.linspace(-5, -1, 20), np.linspace(1, 5, 20)):
        np.testing.assert_allclose(np.diff(basis(beyond, knots), 2, axis=0), 0, atol=1e-9)
