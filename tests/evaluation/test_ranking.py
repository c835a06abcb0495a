"""AUC and average precision against hand counts, scikit-learn and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from hnmets.evaluation.ranking import aucs, average_precisions


def test_an_auc_is_the_share_of_pairs_in_order() -> None:
    # events 3 and 2 against others 2, 1, 0: (1 + 1 + 1) + (1/2 + 1 + 1) of 6 pairs
    outcome = np.array([True, True, False, False, False])
    risk = np.array([[3.0, 2.0, 2.0, 1.0, 0.0]])
    assert aucs(outcome, risk, np.ones((1, 5)))[0] == pytest.approx(5.5 / 6)


def test_average_precision_is_the_precision_at_each_event() -> None:
    # from the top: event, other, event: 1/1 and 2/3, each for one of two events
    outcome = np.array([True, False, True, False])
    risk = np.array([[4.0, 3.0, 2.0, 1.0]])
    assert average_precisions(outcome, risk, np.ones((1, 4)))[0] == pytest.approx((1 + 2 / 3) / 2)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(4, 60), levels=st.integers(1, 60))
def test_both_are_those_of_scikit_learn_with_ties_and_weights(
    seed: int, n: int, levels: int
) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.append(rng.random(n) < 0.3, [True, False])
    score = rng.integers(levels, size=n + 2).astype(float)
    weight = rng.integers(1, 4, size=n + 2).astype(float)
    found = aucs(outcome, score[None, :], weight[None, :])[0]
    assert found == pytest.approx(roc_auc_score(outcome, score, sample_weight=weight))
    found = average_precisions(outcome, score[None, :], weight[None, :])[0]
    assert found == pytest.approx(average_precision_score(outcome, score, sample_weight=weight))


def test_a_weight_counts_as_so_many_copies() -> None:
    rng = np.random.default_rng(1)
    outcome, score = rng.random(30) < 0.4, rng.normal(size=30)
    copies = rng.integers(0, 3, size=30)
    copied = np.repeat(np.arange(30), copies)
    for statistic in (aucs, average_precisions):
        weighted = statistic(outcome, score[None, :], copies[None, :].astype(float))
        apart = statistic(outcome[copied], score[copied][None, :], np.ones((1, len(copied))))
        np.testing.assert_allclose(weighted, apart)


def test_reversed_risk_gives_the_complement() -> None:
    rng = np.random.default_rng(2)
    outcome, score = rng.random(50) < 0.3, rng.integers(9, size=(2, 50)).astype(float)
    one = np.ones((1, 50))
    np.testing.assert_allclose(aucs(outcome, score, one) + aucs(outcome, -score, one), 1)


def test_a_draw_of_one_class_is_undefined() -> None:
    outcome, risk = np.array([True, False]), np.array([[1.0, 0.0]])
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    for statistic in (aucs, average_precisions):
        np.testing.assert_array_equal(statistic(outcome, risk, weights), [np.nan, np.nan, 1.0])


def test_repeats_are_averaged() -> None:
    outcome = np.array([True, False])
    risk = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert aucs(outcome, risk, np.ones((1, 2)))[0] == pytest.approx((1 + 0 + 0.5) / 3)
