"""Headline AUC, the mean over folds, and what few patients cannot show."""

import numpy as np
import pytest
from scipy.stats import norm, t

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.discrimination import discrimination, pooled_auc
from hnmets.evaluation.estimate import Estimate, NotEstimable
from hnmets.evaluation.fold_mean import fold_aucs, fold_mean_auc, fold_mean_difference
from hnmets.evaluation.score_interval import score_interval
from tests.builders_predictions import binormal, predictions


def test_a_large_cohort_has_the_auc_of_theory() -> None:
    found = pooled_auc(binormal(np.random.default_rng(0), 20_000, shift=1.2), Bootstrap(draws=200))
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(norm.cdf(1.2 / np.sqrt(2)), abs=0.01)


def test_precision_of_a_score_that_knows_nothing_is_the_prevalence() -> None:
    found = discrimination(predictions([1] * 3 + [0] * 17, np.ones(20)), Bootstrap())
    assert isinstance(found.average_precision, Estimate)
    assert found.average_precision.value == found.prevalence == 0.15


def test_a_perfect_auc_in_few_patients_leaves_much_possible() -> None:
    found = pooled_auc(predictions([1] * 5 + [0] * 10, np.arange(15, 0, -1)), Bootstrap())
    assert isinstance(found, Estimate)
    assert (found.value, found.high, found.method) == (1.0, 1.0, "Newcombe score interval")
    assert 0.6 < found.low < 0.9
    wrong = pooled_auc(predictions([1] * 5 + [0] * 10, np.arange(15)), Bootstrap())
    assert isinstance(wrong, Estimate)
    assert (wrong.low, wrong.value) == (0.0, 0.0)
    assert wrong.high == pytest.approx(1 - found.low)


def test_one_pair_has_wilsons_interval() -> None:
    # the AUC of one pair is one trial, won: 1 / (1 + z²) with z = 1.959964
    found = score_interval(1.0, n_events=1, n_others=1, level=0.95)
    assert found == pytest.approx((0.2065493, 1.0), abs=1e-6)


def test_both_ends_are_as_far_as_their_own_error_says() -> None:
    low, high = score_interval(0.8, n_events=6, n_others=9, level=0.95)
    for end in (low, high):
        spread = 1 + 6.5 * ((1 - end) / (2 - end) + end / (1 + end))
        error = np.sqrt(end * (1 - end) * spread / 54)
        assert abs(0.8 - end) == pytest.approx(1.959964 * error, abs=1e-6)


def test_ten_patients_in_a_class_are_resampled_and_nine_are_not() -> None:
    rng = np.random.default_rng(1)
    for n_events, method in ((9, "Newcombe"), (10, "stratified patient bootstrap")):
        outcome = np.arange(60) < n_events
        found = pooled_auc(predictions(outcome, rng.normal(size=60)), Bootstrap())
        assert isinstance(found, Estimate)
        assert found.method.startswith(method)


@pytest.mark.slow
@pytest.mark.parametrize(("n_events", "n_others"), [(3, 20), (5, 10), (9, 40)])
def test_the_interval_of_few_patients_covers_the_truth(n_events: int, n_others: int) -> None:
    rng = np.random.default_rng(8)
    outcome = np.arange(n_events + n_others) < n_events
    covered = 0
    for _ in range(400):
        score = rng.normal(size=len(outcome)) + 1.2 * outcome
        found = pooled_auc(predictions(outcome, score), Bootstrap(draws=10))
        assert isinstance(found, Estimate)
        covered += found.low <= norm.cdf(1.2 / np.sqrt(2)) <= found.high
    assert 0.90 <= covered / 400 <= 0.985


def test_the_fold_mean_does_not_see_what_differs_between_folds() -> None:
    # inside each fold perfect; the second fold's model scores everybody higher
    outcome, fold = [1, 0, 1, 0], np.array([0, 0, 1, 1])
    found = predictions(outcome, [0.2, 0.1, 0.9, 0.8])
    inside = fold_mean_auc(found, fold)
    assert [one.auc for one in inside.folds] == [1.0, 1.0]
    assert isinstance(inside.mean, Estimate)
    assert (inside.mean.value, inside.mean.low, inside.mean.high) == (1, 1, 1)
    pooled = pooled_auc(found, Bootstrap())
    # of the pairs (0.2, 0.1), (0.2, 0.8), (0.9, 0.1), (0.9, 0.8) three are in order
    assert isinstance(pooled, Estimate)
    assert pooled.value == 0.75


def test_folds_are_those_of_each_repeat() -> None:
    found = predictions([1, 0, 1, 0], [[0.9, 0.1, 0.8, 0.2], [0.9, 0.1, 0.1, 0.2]])
    fold = np.array([[0, 0, 1, 1], [1, 0, 0, 1]])
    assert [
        (one.repeat, one.fold, one.auc, one.n, one.events) for one in fold_aucs(found, fold)
    ] == [(0, 0, 1.0, 2, 1), (0, 1, 1.0, 2, 1), (1, 0, 0.5, 2, 1), (1, 1, 1.0, 2, 1)]


def test_a_fold_of_one_class_has_no_auc_and_is_counted() -> None:
    found = predictions([1, 0, 0, 0, 1, 0], [0.9, 0.1, 0.5, 0.4, 0.3, 0.8])
    result = fold_mean_auc(found, np.array([0, 0, 1, 1, 2, 2]))
    assert [one.auc for one in result.folds] == [1.0, None, 0.0]
    assert result.n_one_class == 1
    assert isinstance(result.mean, Estimate)
    assert result.mean.value == 0.5


def test_the_interval_of_a_fold_mean_ends_where_no_auc_can_lie() -> None:
    # AUCs 1, 1, 1 and 0.5: a half-width of 0.53 around 0.875.
    outcome, fold = [1, 0, 1, 0, 1, 0, 1, 0], np.repeat(range(4), 2)
    good = predictions(outcome, [0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.5, 0.5])
    bad = predictions(outcome, [0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.5, 0.5])
    mean = fold_mean_auc(good, fold).mean
    assert isinstance(mean, Estimate)
    assert (mean.value, mean.high) == (0.875, 1.0)
    spread = 0.25 * np.sqrt(1 / 4 + 1 / 3)
    assert mean.low == pytest.approx(0.875 - t.ppf(0.975, 3) * spread)
    lead = fold_mean_difference(good, bad, fold)
    assert isinstance(lead, Estimate)
    assert (lead.value, lead.high) == (0.75, 1.0)
    assert lead.low > -1.0


def test_folds_with_events_in_one_of_them_only_have_no_mean() -> None:
    found = fold_mean_auc(predictions([1, 0, 0, 0], [0.9, 0.1, 0.5, 0.4]), np.array([0, 0, 1, 1]))
    assert found.mean == NotEstimable(reason="1 fold has no spread", n=4, events=1)


def test_folds_that_fit_no_risk_are_refused() -> None:
    found = predictions([1, 0], [0.9, 0.1])
    with pytest.raises(InvalidDataError, match=r"folds \(1, 2\) for risks \(2,\)"):
        fold_aucs(found, np.array([[0, 1]]))
    with pytest.raises(InvalidDataError, match="one fold is no cross-validation"):
        fold_mean_auc(found, np.array([0, 0]))
