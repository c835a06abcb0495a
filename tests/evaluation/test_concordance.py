"""Uno's C by hand, against scikit-survival, and with deaths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.metrics import concordance_index_ipcw
from sksurv.util import Surv

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.concordance import uno_concordance
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.evaluation.follow_up import FollowUp
from tests.builders_predictions import cohort_with_deaths, follow_up, watched_to_the_end

FEW = Bootstrap(draws=200)


def concordance(
    seen: FollowUp, score: np.ndarray, *, training: FollowUp, tau_days: float
) -> Estimate:
    found = uno_concordance(seen, score, FEW, training=training, tau_days=tau_days)
    assert isinstance(found, Estimate)
    return found


def test_four_patients_by_hand() -> None:
    # events on days 1 and 3, death on day 2, censored on day 4; nobody censored before tau:
    # day 1 against three others: right, right, tied; day 3 against the later one: wrong, and
    # against the one who died before: right
    seen = follow_up([1, 2, 3, 4], [1, 2, 1, 0])
    found = concordance(seen, np.array([5.0, 1.0, 3.0, 5.0]), training=seen, tau_days=3.5)
    assert found.value == pytest.approx((1 + 1 + 0.5 + 0 + 1) / 5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), whole_days=st.booleans())
def test_it_is_that_of_scikit_survival_without_deaths(seed: int, whole_days: bool) -> None:
    rng = np.random.default_rng(seed)
    cohort, score = cohort_with_deaths(rng, 240, deaths=False, hazard_of=0.7)
    days = np.ceil(cohort.time_days / 50) if whole_days else cohort.time_days
    score = score.round(1)
    training = follow_up(np.append(days[:120], 10_000), np.append(cohort.status[:120], 0))
    seen = follow_up(days[120:], cohort.status[120:])
    tau_days = float(np.quantile(days, 0.7))
    expected = concordance_index_ipcw(
        Surv.from_arrays(event=training.event, time=training.time_days),
        Surv.from_arrays(event=seen.event, time=seen.time_days),
        score[120:],
        tau=tau_days,
    )[0]
    found = concordance(seen, score[120:], training=training, tau_days=tau_days)
    assert found.value == pytest.approx(expected)


def test_reversed_risk_gives_the_complement() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(0), 300, hazard_of=1.0)
    forward = concordance(seen, score, training=seen, tau_days=900)
    backward = concordance(seen, -score, training=seen, tau_days=900)
    assert forward.value + backward.value == pytest.approx(1)
    assert forward.low == pytest.approx(1 - backward.high)


def test_without_censoring_the_dead_count_as_watched_for_ever() -> None:
    rng = np.random.default_rng(1)
    days = np.append(rng.uniform(1, 100, 200), 200)
    status = np.append(rng.integers(1, 3, 200), 0)
    score = rng.normal(size=201)
    seen = follow_up(days, status)
    for_ever = follow_up(np.where(status == 2, 199, days), np.where(status == 2, 0, status))
    found = concordance(seen, score, training=seen, tau_days=80)
    expected = concordance(for_ever, score, training=for_ever, tau_days=80)
    assert found.value == pytest.approx(expected.value)


def test_censoring_hardly_moves_it() -> None:
    rng = np.random.default_rng(2)
    seen, score = cohort_with_deaths(rng, 4000, hazard_of=1.0)
    truth = watched_to_the_end(rng, score)
    found = concordance(seen, score, training=seen, tau_days=1500)
    expected = concordance(truth, np.append(score, 0), training=truth, tau_days=1500)
    assert found.value == pytest.approx(expected.value, abs=0.03)


def test_a_score_that_knows_nothing_is_near_one_half() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(3), 1500)
    found = concordance(seen, score, training=seen, tau_days=1000)
    assert found.low < 0.5 < found.high


def test_equal_repeats_count_as_one() -> None:
    seen, score = cohort_with_deaths(np.random.default_rng(4), 100, hazard_of=1.0)
    once = concordance(seen, score, training=seen, tau_days=900)
    assert concordance(seen, np.stack([score] * 3), training=seen, tau_days=900) == once


def test_no_event_before_tau_is_not_estimable() -> None:
    seen = follow_up([1, 2, 30, 40], [0, 2, 1, 0])
    found = uno_concordance(seen, np.arange(4.0), FEW, training=seen, tau_days=20)
    assert isinstance(found, NotEstimable)
    assert found.reason == "no patient with an event before tau can be compared"


def test_a_tau_beyond_the_training_follow_up_is_refused() -> None:
    training, seen = follow_up([10, 50, 100], [1, 0, 0]), follow_up([300, 400], [1, 0])
    with pytest.raises(InvalidDataError, match="horizon of 350 days") as caught:
        uno_concordance(seen, np.ones(2), FEW, training=training, tau_days=350)
    assert "censoring beyond it is unknown" in caught.value.__notes__[0]


def test_risks_that_are_not_finite_are_refused() -> None:
    seen = follow_up([10, 50, 100], [1, 0, 0])
    with pytest.raises(InvalidDataError, match="1 risks are not finite"):
        uno_concordance(seen, np.array([1, np.inf, 0]), FEW, training=seen, tau_days=40)
