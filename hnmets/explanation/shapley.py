"""Shapley values: what each player adds to a game, whatever the order in which they come."""

from collections.abc import Callable
from math import factorial

import numpy as np
from numpy.typing import NDArray

# Values of coalitions: bool (coalitions, players) to float64 (coalitions,).
Game = Callable[[NDArray[np.bool_]], NDArray[np.float64]]
MOST_EXACT = 10


def exact_shapley(game: Game, players: int) -> NDArray[np.float64]:
    """Return exact Shapley values, float64, shape (players,); they sum to all minus nobody.

    Parameters
    ----------
    players
        At most 10: every further one doubles the coalitions.

    Raises
    ------
    ValueError
        If there are more players.

    References
    ----------
    Shapley 1953, doi:10.1515/9781400881970-018.

    Examples
    --------
    A left glove and two right ones: a pair is worth 1.

    >>> exact_shapley(lambda s: s[:, 0] * (s[:, 1] | s[:, 2]) * 1.0, 3).round(3).tolist()
    [0.667, 0.167, 0.167]
    """
    if players > MOST_EXACT:
        raise ValueError(f"{players} players have 2^{players} coalitions; at most {MOST_EXACT}")
    codes = np.arange(2**players)
    coalitions = (codes[:, np.newaxis] >> np.arange(players)) & 1 == 1
    value = game(coalitions)
    size = coalitions.sum(axis=1)
    weights = np.array(
        [factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)]
    )
    found = np.empty(players)
    for player in range(players):
        without = codes[~coalitions[:, player]]
        gained = value[without | 1 << player] - value[without]
        found[player] = (weights[size[without]] * gained).sum()
    return found


def sampled_shapley(
    game: Game, players: int, *, permutations: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Shapley values averaged over random orders, and their standard errors.

    Whatever is drawn, they sum to all minus nobody: every order does.

    Parameters
    ----------
    permutations
        Orders, at least 2; each is played backwards as well, which cancels much of the noise.

    Returns
    -------
    tuple
        float64, shape (players,) each.

    References
    ----------
    Mitchell et al. 2022, arXiv 2104.12199 (antithetic orders).
    """
    gained = np.array(
        [_both_ways(game, rng.permutation(players)) for _ in range(permutations)], dtype=np.float64
    )
    return gained.mean(axis=0), gained.std(axis=0, ddof=1) / np.sqrt(permutations)


def _both_ways(game: Game, order: NDArray[np.intp]) -> NDArray[np.float64]:
    return (_gained(game, order) + _gained(game, order[::-1])) / 2


def _gained(game: Game, order: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return what each player adds when it comes after those before it in an order."""
    players = len(order)
    arrival = np.empty(players, dtype=np.intp)
    arrival[order] = np.arange(players)
    value = game(arrival < np.arange(players + 1)[:, np.newaxis])
    gained = np.empty(players)
    gained[order] = np.diff(value)
    return gained
