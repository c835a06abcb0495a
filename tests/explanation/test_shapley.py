import numpy as np
import pytest
from numpy.typing import NDArray

from hnmets.explanation.shapley import exact_shapley, sampled_shapley

Coalitions = NDArray[np.bool_]


def pairs_and_singles(coalitions: Coalitions) -> NDArray[np.float64]:
    """Worth 1, 2, 3, 4 alone; 0 and 1 together 5 more; 4 is worth nothing."""
    alone = coalitions[:, :4] @ np.array([1.0, 2.0, 3.0, 4.0])
    return np.asarray(10 + alone + 5.0 * (coalitions[:, 0] & coalitions[:, 1]))


def test_what_two_earn_together_is_shared_and_an_idler_gets_nothing() -> None:
    np.testing.assert_allclose(exact_shapley(pairs_and_singles, 5), [3.5, 4.5, 3, 4, 0])


def test_all_shares_sum_to_all_minus_nobody() -> None:
    worth = np.random.default_rng(0).normal(size=64)

    def game(coalitions: Coalitions) -> NDArray[np.float64]:
        return worth[coalitions @ (1 << np.arange(6))]

    assert exact_shapley(game, 6).sum() == pytest.approx(worth[63] - worth[0])
    values, _ = sampled_shapley(game, 6, permutations=3, rng=np.random.default_rng(1))
    assert values.sum() == pytest.approx(worth[63] - worth[0])


def test_players_that_can_be_exchanged_get_the_same() -> None:
    values = exact_shapley(lambda s: (s.sum(axis=1) >= 2) * 1.0, 4)
    np.testing.assert_allclose(values, 0.25)


def test_sampling_nears_the_exact_values_within_its_errors() -> None:
    worth = np.random.default_rng(2).normal(size=64)

    def game(coalitions: Coalitions) -> NDArray[np.float64]:
        return worth[coalitions @ (1 << np.arange(6))]

    values, errors = sampled_shapley(game, 6, permutations=400, rng=np.random.default_rng(3))
    assert (errors < 0.1).all()
    assert (np.abs(values - exact_shapley(game, 6)) < 4 * errors).all()


def test_too_many_players_are_refused() -> None:
    with pytest.raises(ValueError, match="11 players"):
        exact_shapley(lambda s: s[:, 0] * 1.0, 11)
