"""DeLong's test: by hand, against MLstatkit, and where it has no answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from MLstatkit import Delong_test
from scipy.stats import norm

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.comparison import compare, paired_bootstrap
from hnmets.evaluation.delong import delong
from hnmets.evaluation.estimate import Estimate, NotEstimable
from tests.builders_predictions import predictions


def test_ten_patients_by_hand() -> None:
    # Share of the other class outranked, first minus second model:
    # events 1-1, 1-4/6, 1-2/6, 3/6-1/6 = 0, 1/3, 2/3, 1/3: variance 2/27, of the mean 1/54
    # others 3/4-1/4, 3/4-1/4, 3/4-2/4, 1-2/4, 1-3/4, 1-1: variance 1/24, of the mean 1/144
    outcome = [1] * 4 + [0] * 6
    first = predictions(outcome, [9, 8, 7, 3, 6, 5, 4, 2, 1, 0])
    second = predictions(outcome, [9, 6, 3, 1, 8, 7, 5, 4, 2, 0])
    found = delong(first, second)
    error = np.sqrt(1 / 54 + 1 / 144)
    assert isinstance(found.difference, Estimate)
    assert found.difference.value == pytest.approx(0.875 - 13 / 24)
    assert found.difference.low == pytest.approx(1 / 3 - 1.959964 * error, abs=1e-6)
    assert found.difference.high == pytest.approx(1 / 3 + 1.959964 * error, abs=1e-6)
    assert found.p_value == pytest.approx(2 * norm.sf(1 / 3 / error))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.sampled_from([4, 20, 10**6]))
def test_p_and_z_are_those_of_mlstatkit_with_ties(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.append(rng.random(80) < 0.3, [True, True, False])
    scores = (rng.random((2, 83)) * levels).round() + 0.3 * levels * outcome
    z, p_value = Delong_test(outcome.astype(int), *scores, return_ci=False, return_auc=False)
    found = delong(predictions(outcome, scores[0]), predictions(outcome, scores[1]))
    assert isinstance(found.difference, Estimate)
    assert found.p_value == pytest.approx(p_value, abs=1e-9)
    error = (found.difference.high - found.difference.low) / 2 / norm.ppf(0.975)
    # its difference is the second model minus the first
    assert found.difference.value / error == pytest.approx(-z, abs=1e-6)


def test_a_model_does_not_differ_from_itself() -> None:
    rng = np.random.default_rng(0)
    found = predictions(rng.random(50) < 0.3, rng.normal(size=50))
    result = compare(found, found, Bootstrap())
    assert isinstance(result.delong.difference, Estimate)
    assert result.delong.p_value == 1.0
    assert (result.delong.difference.low, result.delong.difference.high) == (0, 0)
    assert isinstance(result.bootstrap, Estimate)
    assert (result.bootstrap.low, result.bootstrap.high) == (0, 0)


def test_a_model_on_another_scale_ranks_alike_and_does_not_differ() -> None:
    rng = np.random.default_rng(0)
    outcome, score = rng.random(50) < 0.3, rng.normal(size=50)
    assert delong(predictions(outcome, score), predictions(outcome, np.exp(score))).p_value == 1


def test_exchanged_models_give_the_opposite_difference_and_the_same_p() -> None:
    rng = np.random.default_rng(1)
    outcome = rng.random(60) < 0.4
    a, b = (predictions(outcome, rng.normal(size=60)) for _ in range(2))
    ab, ba = delong(a, b), delong(b, a)
    assert isinstance(ab.difference, Estimate)
    assert isinstance(ba.difference, Estimate)
    assert ab.p_value == pytest.approx(ba.p_value)
    assert ab.difference.low == pytest.approx(-ba.difference.high)


def test_the_order_of_the_patients_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    outcome = rng.random(60) < 0.4
    a, b = (predictions(outcome, rng.normal(size=60)) for _ in range(2))
    assert delong(a, b.of(rng.permutation(60))) == delong(a, b)


def test_equal_repeats_count_as_one() -> None:
    rng = np.random.default_rng(3)
    outcome = rng.random(60) < 0.4
    a, b = rng.normal(size=(2, 60))
    once = delong(predictions(outcome, a), predictions(outcome, b))
    thrice = delong(predictions(outcome, [a, a, a]), predictions(outcome, [b, b, b]))
    assert thrice.p_value == pytest.approx(once.p_value)


def test_other_patients_are_refused() -> None:
    found = predictions([1, 1, 0, 0], [4, 3, 2, 1])
    for comparison in (delong, lambda a, b: paired_bootstrap(a, b, Bootstrap())):
        with pytest.raises(InvalidDataError, match="not scored on the same patients"):
            comparison(found, found.of(np.array([0, 1, 2])))


def test_weighted_patients_are_left_to_the_bootstrap() -> None:
    found = predictions([1, 1, 0, 0], [4, 3, 2, 1], [1, 1, 1, 2])
    with pytest.raises(InvalidDataError, match="weighted"):
        delong(found, found)
    assert isinstance(paired_bootstrap(found, found, Bootstrap()), Estimate)


def test_one_event_has_no_variance() -> None:
    found = predictions([1, 0, 0], [3, 2, 1])
    reason = "needs two patients with and two without the event"
    result = delong(found, found)
    assert result.difference == NotEstimable(reason=reason, n=3, events=1)
    assert result.p_value is None
    assert paired_bootstrap(found, found, Bootstrap()) == result.difference


def test_always_right_against_always_wrong_has_no_variance_and_says_so() -> None:
    outcome = [1, 1, 0, 0]
    found = delong(predictions(outcome, [4, 3, 2, 1]), predictions(outcome, [1, 2, 3, 4]))
    assert isinstance(found.difference, NotEstimable)
    assert "no variance" in found.difference.reason
    assert found.p_value is None


def test_bootstrap_and_delong_agree_in_a_large_cohort() -> None:
    rng = np.random.default_rng(4)
    outcome = rng.random(800) < 0.3
    shared = rng.normal(size=800) + outcome
    a = predictions(outcome, shared + rng.normal(size=800) * 0.5)
    b = predictions(outcome, shared + rng.normal(size=800))
    found = compare(a, b, Bootstrap())
    assert isinstance(found.bootstrap, Estimate)
    assert isinstance(found.delong.difference, Estimate)
    assert found.bootstrap.value == pytest.approx(found.delong.difference.value)
    assert found.bootstrap.low == pytest.approx(found.delong.difference.low, abs=0.004)
    assert found.bootstrap.high == pytest.approx(found.delong.difference.high, abs=0.004)
