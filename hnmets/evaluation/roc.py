"""Receiver operating characteristic, as points to draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve as empirical_roc

from hnmets.evaluation.estimate import NotEstimable
from hnmets.evaluation.predictions import Predictions

_POINTS = 201


@dataclass(frozen=True, kw_only=True, eq=False)
class RocCurve:
    """Sensitivity at each false positive rate.

    Parameters
    ----------
    false_positive_rate
        Rising from 0 to 1, shape (202,): the first two points are both at 0, where the curve
        may rise straight up.
    sensitivity
        With several repeats their mean at that rate.
    """

    false_positive_rate: NDArray[np.float64]
    sensitivity: NDArray[np.float64]


def roc_curve(predictions: Predictions) -> RocCurve | NotEstimable:
    """Trace the curve; the area below it is the pooled AUC up to the spacing of the points.

    References
    ----------
    Vertical averaging: Fawcett 2006, doi:10.1016/j.patrec.2005.10.010.
    """
    n, events = predictions.n, predictions.events
    if events in {0, n}:
        return NotEstimable(reason="needs patients with and without the event", n=n, events=events)
    outcome = predictions.outcome
    rate = np.linspace(0, 1, _POINTS)
    # At a rate where a curve jumps, `interp` takes the upper end.
    curves = [
        np.interp(rate, *empirical_roc(outcome, risk, sample_weight=predictions.weights)[:2])
        for risk in predictions.repeats
    ]
    return RocCurve(
        false_positive_rate=np.append(0.0, rate),
        sensitivity=np.append(0.0, np.mean(curves, axis=0)),
    )
