"""Rank statistics of one score under many weightings of the patients at once."""

import numpy as np
from numpy.typing import NDArray

from hnmets.evaluation.ratio import ratio


def aucs(
    outcome: NDArray[np.bool_], risk: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Area under the ROC curve: the chance that an event outranks a non-event, ties half.

    Parameters
    ----------
    outcome
        Shape (n,).
    risk
        Shape (repeats, n); the result is the mean over the repeats.
    weights
        Shape (draws, n), not negative; copies of a patient in a resample, for example.

    Returns
    -------
    NDArray
        float64, shape (draws,); NaN where a draw weighs only one class.

    References
    ----------
    Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747.
    """
    values = [_auc(outcome, score, weights) for score in risk]
    return np.asarray(np.mean(values, axis=0))


def average_precisions(
    outcome: NDArray[np.bool_], risk: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean precision at the rank of each event; patients of equal risk enter together.

    Parameters, shapes and undefined draws as in `aucs`; chance is the prevalence, not 0.5.
    """
    values = [_average_precision(outcome, score, weights) for score in risk]
    return np.asarray(np.mean(values, axis=0))


def _auc(
    outcome: NDArray[np.bool_], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    events, others = _by_score(outcome, score, weights)
    # An event beats all non-events below its score and half of those at it.
    beaten = np.cumsum(others, axis=1) - others / 2
    return ratio((events * beaten).sum(axis=1), events.sum(axis=1) * others.sum(axis=1))


def _average_precision(
    outcome: NDArray[np.bool_], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    events, others = _by_score(outcome, -score, weights)
    found = np.cumsum(events, axis=1)
    called = found + np.cumsum(others, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    both = (events.sum(axis=1) > 0) & (others.sum(axis=1) > 0)
    return np.where(both, ratio((events * precision).sum(axis=1), found[:, -1]), np.nan)


def _by_score(
    outcome: NDArray[np.bool_], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight of events and of non-events at each distinct score, rising."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    in_order = weights[:, order]
    events: NDArray[np.float64] = np.add.reduceat(in_order * outcome[order], starts, axis=1)
    others: NDArray[np.float64] = np.add.reduceat(in_order * ~outcome[order], starts, axis=1)
    return events, others
