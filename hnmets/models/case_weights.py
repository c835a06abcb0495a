"""How much each case counts in a loss."""

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_member import class_weights
from hnmets.models.head_parameters import Weighting


def case_weights(
    outcome: NDArray[np.bool_], training: NDArray[np.bool_], weighting: Weighting
) -> NDArray[np.float64]:
    """Return the weight of each case, by the classes of the training cases.

    Examples
    --------
    >>> case_weights(np.array([True, False]), np.array([True, False, False, False]), "balanced")
    array([2.        , 0.66666667])
    """
    other, event = class_weights(training, weighting)
    return np.where(outcome, event, other)


def weighted_log_loss(
    log_odds: NDArray[np.float64], outcome: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    """Return the weighted mean cross-entropy of log odds, shape (cases,)."""
    signed = log_odds * np.where(outcome, 1, -1)
    return float(np.average(np.logaddexp(0, -signed), weights=weights))
