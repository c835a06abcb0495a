"""Decision curve: whether acting on the risks does more good than harm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class ThresholdRange:
    """Risks at which a clinician could reasonably act, fixed before looking at the curve.

    Parameters
    ----------
    lowest, highest
        Ends, both included.
    step
        Distance between two thresholds.

    Raises
    ------
    InvalidDataError
        If the range is empty or leaves 0 to 1.
    """

    lowest: float = 0.05
    highest: float = 0.50
    step: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.lowest < self.highest < 1 or not self.step > 0:
            raise InvalidDataError(
                f"thresholds from {self.lowest:g} to {self.highest:g} by {self.step:g}"
            )

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """float64, shape (k,), rising."""
        steps = int((self.highest - self.lowest) / self.step + 1e-9)
        # Rounded, so that 0.3 is the risk 0.3 and not the sum of many hundredths.
        return np.round(self.lowest + self.step * np.arange(steps + 1), 10)


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionCurve:
    """Net benefit in true positives per patient.

    Parameters
    ----------
    threshold
        Shape (k,).
    net_benefit, low, high
        Of acting at `risk >= threshold`, and its pointwise patient-bootstrap interval.
    treat_all, treat_none
        Of acting on everybody and on nobody.
    """

    threshold: NDArray[np.float64]
    net_benefit: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    treat_none: NDArray[np.float64]
    n: int
    events: int
    bootstrap: Bootstrap


def decision_curve(
    predictions: Predictions,
    bootstrap: Bootstrap,
    *,
    thresholds: ThresholdRange = ThresholdRange(),
) -> DecisionCurve:
    """Weigh true positives against false ones at every threshold.

    Raises
    ------
    InvalidDataError
        If the risks are no probabilities or there is no patient.

    References
    ----------
    Vickers and Elkin 2006, doi:10.1177/0272989X06295361.
    """
    predictions.require_probabilities()
    if predictions.n == 0:
        raise InvalidDataError("a decision curve needs patients whose outcome is known")
    threshold = thresholds.thresholds
    worth = np.where(predictions.outcome[:, None], 1.0, -threshold / (1 - threshold))
    called = (predictions.repeats[:, :, None] >= threshold).mean(axis=0)
    weights = predictions.weights[None, :]
    copies = bootstrap.copies(np.zeros(len(predictions.outcome), bool)) * weights
    # A draw of nothing but censored patients has no net benefit.
    low, high = bootstrap.ends(_mean(called * worth, copies[copies.any(axis=1)]))
    return DecisionCurve(
        threshold=threshold,
        net_benefit=_mean(called * worth, weights)[0],
        low=low,
        high=high,
        treat_all=_mean(worth, weights)[0],
        treat_none=np.zeros_like(threshold),
        n=predictions.n,
        events=predictions.events,
        bootstrap=bootstrap,
    )


def _mean(worth: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average worth (n, k) over patients for each weighting (draws, n): shape (draws, k)."""
    return np.asarray(weights @ worth / weights.sum(axis=1, keepdims=True))
