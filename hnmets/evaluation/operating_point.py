"""What a given threshold does: never accuracy alone."""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """Shares of right answers at one threshold.

    Parameters
    ----------
    prevalence
        Share of patients with the event.
    blind_accuracy
        Accuracy of always giving the commoner answer; an accuracy below or near it is none.
    """

    prevalence: float
    blind_accuracy: float
    accuracy: Measured
    balanced_accuracy: Measured
    sensitivity: Measured
    specificity: Measured
    ppv: Measured
    npv: Measured


def operating_point(
    predictions: Predictions,
    threshold: float | NDArray[np.float64],
    *,
    level: float = 0.95,
) -> OperatingPoint:
    """Score a threshold that was chosen elsewhere (`youden_threshold` on training patients).

    Shares have Wilson intervals, which stay honest at 0 and 1, where resampling would see no
    spread.

    Parameters
    ----------
    threshold
        Positive is `risk >= threshold`. One number, or of the shape of `predictions.risk`:
        each patient with the threshold of its own fold.

    Raises
    ------
    InvalidDataError
        If a threshold is not a number or does not fit the risks.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953; balanced accuracy: Zou and Donner 2008,
    doi:10.1002/sim.3095.
    """
    limits = np.asarray(threshold, dtype=np.float64)
    if limits.shape not in {(), predictions.risk.shape} or np.isnan(limits).any():
        raise InvalidDataError(f"thresholds {limits.shape} for risks {predictions.risk.shape}")
    called = np.atleast_2d(predictions.risk >= limits)
    event = np.broadcast_to(predictions.outcome, called.shape)

    def share(right: NDArray[np.bool_], among: NDArray[np.bool_], of: str) -> Measured:
        return _share(predictions, right, among, of=of, level=level)

    sensitivity = share(called, event, "patients with the event")
    specificity = share(~called, ~event, "patients without the event")
    return OperatingPoint(
        prevalence=predictions.prevalence,
        blind_accuracy=max(predictions.prevalence, 1 - predictions.prevalence),
        accuracy=share(called == event, np.ones_like(called), "patients"),
        balanced_accuracy=_balanced(sensitivity, specificity),
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=share(event, called, "patients called positive"),
        npv=share(~event, ~called, "patients called negative"),
    )


def _share(
    predictions: Predictions,
    right: NDArray[np.bool_],
    among: NDArray[np.bool_],
    *,
    of: str,
    level: float,
) -> Measured:
    """Wilson interval; repeats count as one patient, weights by Kish's effective number."""
    weights = predictions.weights
    total = float((among @ weights).mean())
    if total == 0:
        return NotEstimable(reason=f"no {of}", n=predictions.n, events=predictions.events)
    squares = float((among @ weights**2).mean())
    value = float(((right & among) @ weights).mean()) / total
    low, high = wilson(value, total**2 / squares, level=level)
    return Estimate(
        value=value,
        low=low,
        high=high,
        n=predictions.n,
        events=predictions.events,
        level=level,
        method=f"Wilson, {of}",
    )


def wilson(share: float, trials: float, *, level: float) -> tuple[float, float]:
    """Score interval of a share.

    Parameters
    ----------
    trials
        Number of patients, not necessarily whole: weighted patients count in part.
    """
    z = float(norm.ppf((1 + level) / 2))
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * sqrt(share * (1 - share) / trials + (z / trials) ** 2 / 4) / (1 + z**2 / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def _balanced(sensitivity: Measured, specificity: Measured) -> Measured:
    if isinstance(sensitivity, NotEstimable):
        return sensitivity
    if isinstance(specificity, NotEstimable):
        return specificity
    parts = (sensitivity, specificity)
    value = (sensitivity.value + specificity.value) / 2
    return Estimate(
        value=value,
        low=value - hypot(*(part.value - part.low for part in parts)) / 2,
        high=value + hypot(*(part.high - part.value for part in parts)) / 2,
        n=sensitivity.n,
        events=sensitivity.events,
        level=sensitivity.level,
        method="MOVER of the Wilson intervals of sensitivity and specificity",
    )
