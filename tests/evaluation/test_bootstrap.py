"""Resampling: what a draw is, what an interval promises."""

from time import process_time

import numpy as np
import pytest
from scipy.stats import norm

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap, bootstrapped
from hnmets.evaluation.discrimination import discrimination, pooled_auc
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.evaluation.predictions import Predictions
from tests.builders_predictions import binormal, predictions


def mean_risk(of: Predictions, bootstrap: Bootstrap) -> Estimate | NotEstimable:
    return bootstrapped(
        lambda weights: weights @ of.risk / weights.sum(axis=1),
        of,
        bootstrap,
        stratified=False,
        undefined="no mean",
    )


def test_a_stratified_draw_keeps_the_number_of_events() -> None:
    outcome = np.array([True] * 3 + [False] * 7)
    copies = Bootstrap(draws=500).copies(outcome)
    assert copies.shape == (500, 10)
    np.testing.assert_array_equal(copies[:, :3].sum(axis=1), 3)
    np.testing.assert_array_equal(copies[:, 3:].sum(axis=1), 7)
    # each patient comes once on average; its copies are binomial with variance 1 - 1/7
    np.testing.assert_allclose(copies.mean(axis=0), 1, atol=0.2)
    assert copies[:, 3:].var() == pytest.approx(6 / 7, abs=0.1)


def test_an_unstratified_draw_lets_the_number_of_events_vary() -> None:
    copies = Bootstrap(draws=500).copies(np.zeros(10, bool))
    assert copies[:, :3].sum(axis=1).std() == pytest.approx(np.sqrt(10 * 0.3 * 0.7), abs=0.15)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    found = binormal(np.random.default_rng(3), 100, shift=1.0)
    assert pooled_auc(found, Bootstrap(seed=7)) == pooled_auc(found, Bootstrap(seed=7))
    assert pooled_auc(found, Bootstrap(seed=7)) != pooled_auc(found, Bootstrap(seed=8))


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    rng = np.random.default_rng(4)
    found = mean_risk(predictions(np.zeros(400), rng.normal(size=400)), Bootstrap(draws=4000))
    assert isinstance(found, Estimate)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 / 20, rel=0.1)
    assert found.method == "patient bootstrap, 4000 draws"


def test_one_class_has_no_auc_and_says_so() -> None:
    found = discrimination(predictions([0, 0, 0], [0.1, 0.2, 0.3]), Bootstrap())
    assert found.auc == NotEstimable(
        reason="needs patients with and without the event", n=3, events=0
    )
    assert found.average_precision == found.auc
    assert found.prevalence == 0


def test_no_patient_has_no_auc() -> None:
    found = pooled_auc(predictions([], []), Bootstrap())
    assert found == NotEstimable(reason="no patients", n=0, events=0)


def test_resamples_of_one_class_are_counted_and_left_out() -> None:
    # three events of 60: an unstratified draw misses all of them in (57/60)^60 = 4.6 %
    found = discrimination(
        predictions([1] * 3 + [0] * 57, np.linspace(0, 1, 60)), Bootstrap(seed=1)
    ).average_precision
    assert isinstance(found, Estimate)
    n_left_out = int(found.method.split(", ")[2].split()[0])
    assert n_left_out / 2000 == pytest.approx(0.046, abs=0.01)


def test_too_many_resamples_of_one_class_leave_no_estimate() -> None:
    # one event of 20: missed by (19/20)^20 = 36 % of the draws
    found = discrimination(predictions([1] + [0] * 19, np.arange(20)), Bootstrap())
    assert isinstance(found.average_precision, NotEstimable)
    assert found.average_precision.reason.startswith("undefined in 7")


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="0 draws"):
        Bootstrap(draws=0)
    with pytest.raises(InvalidDataError, match="level 95"):
        Bootstrap(level=95)


def test_two_thousand_draws_of_1500_patients_take_less_than_two_seconds() -> None:
    found = binormal(np.random.default_rng(5), 1500, shift=1.0)
    start = process_time()
    pooled_auc(found, Bootstrap(draws=2000))
    assert process_time() - start < 2


@pytest.mark.slow
def test_the_interval_of_an_auc_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    truth = norm.cdf(1.0 / np.sqrt(2))
    covered = 0
    for _ in range(300):
        found = pooled_auc(binormal(rng, 150, shift=1.0), Bootstrap(draws=2000))
        assert isinstance(found, Estimate)
        covered += found.low <= truth <= found.high
    assert 0.90 <= covered / 300 <= 0.98
