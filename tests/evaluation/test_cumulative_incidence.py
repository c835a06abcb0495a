"""Aalen-Johansen: by hand, against lifelines, and against what ignores deaths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.cumulative_incidence import cumulative_incidence
from tests.builders_predictions import cohort_with_deaths, follow_up, incidence_by

FEW = Bootstrap(draws=200)


def test_five_patients_by_hand() -> None:
    # day 1: an event of 5; day 2: a death and a censoring of 4; day 3: an event of 2, one left
    found = cumulative_incidence(follow_up([1, 2, 2, 3, 4], [1, 2, 0, 1, 0]), FEW)
    np.testing.assert_array_equal(found.time_days, [1, 2, 3, 4])
    np.testing.assert_array_equal(found.at_risk, [5, 4, 2, 1])
    third = 1 / 5 + 4 / 5 * 3 / 4 / 2
    np.testing.assert_allclose(found.incidence, [1 / 5, 1 / 5, third, third])
    np.testing.assert_allclose(found.competing, [0, 4 / 5 / 4, 1 / 5, 1 / 5])


def test_between_two_days_nothing_happens() -> None:
    found = cumulative_incidence(follow_up([10, 20, 30], [1, 2, 0]), FEW)
    assert found.at(9).value == 0
    assert found.at(10).value == found.at(19.5).value == pytest.approx(1 / 3)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_is_that_of_lifelines(seed: int) -> None:
    seen, _ = cohort_with_deaths(np.random.default_rng(seed), 80)
    expected = AalenJohansenFitter(calculate_variance=False).fit(
        seen.time_days, seen.status, event_of_interest=1
    )
    found = cumulative_incidence(seen, FEW)
    # lifelines starts with a row for day 0
    np.testing.assert_allclose(
        found.incidence, expected.cumulative_density_.to_numpy()[1:, 0], atol=1e-12
    )


def test_the_interval_is_as_wide_as_the_variance_of_lifelines_says() -> None:
    seen, _ = cohort_with_deaths(np.random.default_rng(0), 600)
    fitted = AalenJohansenFitter().fit(seen.time_days, seen.status, event_of_interest=1)
    found = cumulative_incidence(seen, Bootstrap(draws=2000)).at(1000)
    row = np.searchsorted(fitted.variance_.index, 1000, side="right") - 1
    half = 1.96 * np.sqrt(fitted.variance_.iloc[row])
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert found.method == "Aalen-Johansen, patient bootstrap, 2000 draws"


def test_it_finds_the_known_incidence_and_one_minus_kaplan_meier_does_not() -> None:
    seen, _ = cohort_with_deaths(np.random.default_rng(1), 20_000)
    # deaths taken for censorings: Aalen-Johansen becomes 1 - Kaplan-Meier
    blind = follow_up(seen.time_days, np.where(seen.competing, 0, seen.status))
    for day in (500, 1000, 2000):
        truth = incidence_by(day)
        assert cumulative_incidence(seen, FEW).at(day).value == pytest.approx(truth, abs=0.015)
        assert cumulative_incidence(blind, FEW).at(day).value > truth + 0.03


def test_the_three_fates_add_up_to_one() -> None:
    # everybody is followed to the end, so nobody is free of both
    rng = np.random.default_rng(2)
    found = cumulative_incidence(follow_up(rng.uniform(1, 9, 50), rng.integers(1, 3, 50)), FEW)
    assert found.incidence[-1] + found.competing[-1] == pytest.approx(1)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_curve_rises_within_zero_and_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = cumulative_incidence(
        follow_up(rng.integers(1, 9, 30), rng.integers(0, 3, 30)), Bootstrap(draws=50)
    )
    for curve in (found.incidence, found.low, found.high, found.competing):
        assert (np.diff(curve) >= -1e-12).all()
        assert curve.min() >= 0
        assert curve.max() <= 1 + 1e-12


def test_a_day_that_nobody_reached_is_refused() -> None:
    found = cumulative_incidence(follow_up([10, 20], [1, 0]), FEW)
    with pytest.raises(InvalidDataError, match="day 21 lies outside the follow-up of 20 days"):
        found.at(21)


@pytest.mark.slow
def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        seen, _ = cohort_with_deaths(rng, 150)
        found = cumulative_incidence(seen, Bootstrap(draws=500)).at(1000)
        covered += found.low <= incidence_by(1000) <= found.high
    assert 0.90 <= covered / 200 <= 0.98
