import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

from hnmets.models.recalibration import log_odds_of, recalibration


def drawn(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """True log odds and outcomes drawn from them."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1, 1.2, n)
    return truth, rng.random(n) < expit(truth)


def test_the_mean_risk_becomes_the_share_of_events() -> None:
    truth, outcome = drawn(200)
    for distortion in (truth, 3 * truth + 2, truth - 4):
        found = recalibration(distortion, outcome)
        assert found.method == "platt"
        assert found.risk(distortion).mean() == pytest.approx(outcome.mean(), abs=1e-9)


def test_many_patients_give_the_true_risks_back() -> None:
    truth, outcome = drawn(20_000)
    found = recalibration(2 * truth + 1, outcome)
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.intercept == pytest.approx(-0.5, abs=0.05)


def test_a_dozen_patients_do_not_turn_a_model_round() -> None:
    outcome = np.arange(20) < 10
    upside_down = np.where(outcome, -2.0, 2.0)
    found = recalibration(upside_down, outcome)
    assert 0 < found.slope < 1
    assert (np.diff(found.risk(np.array([-1.0, 0.0, 1.0]))) > 0).all()


def test_separated_patients_do_not_make_it_certain() -> None:
    outcome = np.arange(20) < 10
    found = recalibration(np.where(outcome, 1.0, -1.0), outcome)
    assert 1 < found.slope < np.exp(2)
    assert 0.5 < found.risk(np.array([1.0]))[0] < 0.999


def test_few_events_move_the_intercept_alone_and_it_says_so() -> None:
    outcome = np.array([True, False, False, False])
    found = recalibration(np.zeros(4), outcome)
    assert (found.method, found.slope) == ("intercept", 1.0)
    assert found.intercept == pytest.approx(logit(0.25))
    assert found.reason == "1 with the event and 3 without among the cases to choose by"


def test_one_class_leaves_the_risks_uncalibrated_and_it_says_so() -> None:
    found = recalibration(np.array([0.3, -0.2]), np.array([False, False]))
    assert (found.method, found.intercept, found.slope) == ("none", 0.0, 1.0)
    assert found.reason == "0 with the event and 2 without among the cases to choose by"


def test_scores_that_differ_by_a_rounding_error_have_an_intercept() -> None:
    outcome = np.array([True, False, False])
    found = recalibration(np.array([0.1, 0.1, np.nextafter(0.1, 1)]), outcome)
    assert found.intercept == pytest.approx(logit(1 / 3) - 0.1, abs=1e-6)


def test_certain_risks_have_finite_log_odds() -> None:
    np.testing.assert_allclose(
        log_odds_of(np.array([0.0, 0.5, 1.0])), [-13.815510, 0, 13.815510], rtol=1e-6, atol=1e-12
    )
