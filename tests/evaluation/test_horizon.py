"""The endpoint by a horizon: nobody is dropped silently, the lost are stood in for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sksurv.metrics import cumulative_dynamic_auc
from sksurv.nonparametric import CensoringDistributionEstimator
from sksurv.util import Surv

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import calibration
from hnmets.evaluation.calibration_curve import CalibrationCurve
from hnmets.evaluation.censoring import fit_censoring
from hnmets.evaluation.cumulative_incidence import cumulative_incidence
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.follow_up import FollowUp
from hnmets.evaluation.horizon import HorizonFlow, at_horizon
from tests.builders_predictions import (
    DEATH_PER_DAY,
    METASTASIS_PER_DAY,
    cohort_with_deaths,
    follow_up,
    patients,
    watched_to_the_end,
)

FEW = Bootstrap(draws=200)


def auc_by(
    seen: FollowUp, score: np.ndarray, *, training: FollowUp, horizon_days: float
) -> Estimate:
    at = at_horizon(seen, training=training, horizon_days=horizon_days)
    found = pooled_auc(at.predictions(score), FEW)
    assert isinstance(found, Estimate)
    return found


def surv(seen: FollowUp) -> np.ndarray:
    return Surv.from_arrays(event=seen.event, time=seen.time_days)


def test_five_patients_by_hand() -> None:
    # days 1 event, 2 censored, 3 death, 4 censored, 6 event; horizon 5
    seen = follow_up([1, 2, 3, 4, 6], [1, 0, 2, 0, 1])
    found = at_horizon(seen, training=seen, horizon_days=5)
    # uncensored: 1 - 1/4 after day 2, then · (1 - 1/2) after day 4
    np.testing.assert_allclose(found.weight, [1, 0, 1 / 0.75, 0, 1 / 0.375])
    np.testing.assert_array_equal(found.outcome, [True, False, False, False, False])
    assert found.flow == HorizonFlow(event=1, died=1, event_free=1, censored=2)


def test_the_weights_add_up_to_all_patients() -> None:
    seen, _ = cohort_with_deaths(np.random.default_rng(0), 300)
    found = at_horizon(seen, training=seen, horizon_days=800)
    assert found.weight.sum() == pytest.approx(300)


def test_the_weighted_share_of_events_is_the_aalen_johansen_estimate() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(1), 300)
    found = at_horizon(seen, training=seen, horizon_days=800).predictions(score)
    assert found.prevalence == pytest.approx(cumulative_incidence(seen, FEW).at(800).value)


def test_leaving_out_the_censored_overstates_the_risk() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(2), 20_000, deaths=False)
    found = at_horizon(seen, training=seen, horizon_days=1500)
    truth = 1 - np.exp(-1500 / 2000)
    assert found.predictions(score).prevalence == pytest.approx(truth, abs=0.015)
    assert found.outcome[found.weight > 0].mean() > truth + 0.03


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), whole_days=st.booleans())
def test_the_auc_is_that_of_scikit_survival(seed: int, whole_days: bool) -> None:
    rng = np.random.default_rng(seed)
    cohort, score = cohort_with_deaths(rng, 240, deaths=False, hazard_of=0.7)
    # coarse days make ties between events and censorings
    days = np.ceil(cohort.time_days / 50) if whole_days else cohort.time_days
    score = score.round(1)
    training = follow_up(np.append(days[:120], 10_000), np.append(cohort.status[:120], 0))
    seen = follow_up(days[120:], cohort.status[120:])
    horizon = float(np.quantile(days, 0.6)) + 0.5
    expected, _ = cumulative_dynamic_auc(surv(training), surv(seen), score[120:], [horizon])
    found = auc_by(seen, score[120:], training=training, horizon_days=horizon)
    assert found.value == pytest.approx(expected[0])


def test_the_censoring_distribution_is_that_of_scikit_survival() -> None:
    cohort, _ = cohort_with_deaths(np.random.default_rng(3), 200, deaths=False)
    training = follow_up(np.ceil(cohort.time_days / 100), cohort.status)
    days = np.arange(1.0, training.longest_days)
    expected = CensoringDistributionEstimator().fit(surv(training)).predict_proba(days)
    np.testing.assert_allclose(1 / fit_censoring(training).weights(days), expected)


def test_reversed_risk_gives_the_complement() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(4), 300, hazard_of=1.0)
    forward = auc_by(seen, score, training=seen, horizon_days=700)
    backward = auc_by(seen, -score, training=seen, horizon_days=700)
    assert forward.value + backward.value == pytest.approx(1)


def test_without_censoring_the_dead_are_patients_without_the_event() -> None:
    rng = np.random.default_rng(5)
    days, status, score = rng.uniform(1, 100, 200), rng.integers(1, 3, 200), rng.normal(size=200)
    seen = follow_up(np.append(days, 200), np.append(status, 0))
    score = np.append(score, 0.0)
    # who died can never have it: the same as being watched for ever
    for_ever = follow_up(
        np.where(seen.competing, 199, seen.time_days), np.where(seen.competing, 0, seen.status)
    )
    found = auc_by(seen, score, training=seen, horizon_days=60)
    expected = auc_by(for_ever, score, training=for_ever, horizon_days=60)
    assert found.value == pytest.approx(expected.value)


def test_censoring_hardly_moves_the_auc() -> None:
    rng = np.random.default_rng(6)
    seen, score = cohort_with_deaths(rng, 20_000, hazard_of=1.0)
    # the same population, watched to the end
    truth = watched_to_the_end(rng, score)
    found = auc_by(seen, score, training=seen, horizon_days=1500)
    expected = auc_by(truth, np.append(score, 0), training=truth, horizon_days=1500)
    assert found.value == pytest.approx(expected.value, abs=0.015)
    assert found.value > norm.cdf(0.6 / np.sqrt(2))


def test_true_risks_by_the_horizon_are_calibrated_although_many_are_lost() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(7), 20_000, hazard_of=0.8)
    hazard = np.exp(0.8 * score) * METASTASIS_PER_DAY
    both = hazard + DEATH_PER_DAY
    risk = hazard / both * -np.expm1(-both * 1500)
    at = at_horizon(seen, training=seen, horizon_days=1500)
    assert at.flow.censored > 2500
    found = calibration(at.predictions(risk), FEW)
    assert isinstance(found.slope, Estimate)
    assert isinstance(found.intercept, Estimate)
    assert isinstance(found.observed_expected, Estimate)
    assert isinstance(found.curve, CalibrationCurve)
    assert found.slope.value == pytest.approx(1, abs=0.05)
    assert found.intercept.value == pytest.approx(0, abs=0.05)
    assert found.observed_expected.value == pytest.approx(1, abs=0.04)
    assert found.curve.ici < 0.015


@pytest.mark.parametrize("horizon_days", [0.0, -5.0, 100.0, 250.0])
def test_a_horizon_outside_the_training_follow_up_is_refused(horizon_days: float) -> None:
    training = follow_up([10, 50, 100], [1, 0, 0])
    seen = follow_up([300, 400, 500], [1, 0, 0])
    with pytest.raises(InvalidDataError, match="training follow-up of 100 days") as caught:
        at_horizon(seen, training=training, horizon_days=horizon_days)
    assert "earlier horizon" in caught.value.__notes__[0]


def test_times_beyond_the_training_follow_up_have_no_weight() -> None:
    censoring = fit_censoring(follow_up([10, 50, 100], [1, 0, 0]))
    with pytest.raises(InvalidDataError, match="day 101 lies beyond"):
        censoring.weights(np.array([101.0]))
    with pytest.raises(InvalidDataError, match="every training patient is censored"):
        censoring.weights(np.array([100.0]))


@pytest.mark.parametrize(
    ("days", "status", "said"),
    [
        ([1, 2], [0, 3], "status codes"),
        ([-1, 2], [0, 1], "not negative"),
        ([1, np.nan], [0, 1], "finite"),
        ([1, 2], [0], r"status \(1,\)"),
        ([], [], "one row for each patient"),
    ],
)
def test_follow_up_that_cannot_be_is_refused(
    days: list[float], status: list[int], said: str
) -> None:
    with pytest.raises(InvalidDataError, match=said):
        follow_up(days, status)


def test_a_patient_with_two_follow_ups_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="one row for each patient"):
        FollowUp(
            patient_ids=(*patients(1), *patients(1)),
            time_days=np.array([1.0, 2.0]),
            status=np.array([0, 1]),
        )


def test_risks_that_do_not_fit_the_follow_up_are_refused() -> None:
    seen = follow_up([10, 50, 100], [1, 0, 0])
    at = at_horizon(seen, training=seen, horizon_days=40)
    with pytest.raises(InvalidDataError, match=r"risks \(2,\) for 3 patients"):
        at.predictions(np.ones(2))
