"""From a model's log odds to risks that mean what they say, learned on the inner part."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, logit

Method = Literal["platt", "intercept", "none"]

# Fewer of a class say too little about the spread of the risks.
_FEWEST_FOR_SLOPE = 5
# Standard deviation of the prior of the slope's logarithm: within a factor 2.7 of 1 in 95 %.
_PRIOR_SD = 0.5
_SMALLEST_RISK = 1e-6
_BOUND = 4 * _PRIOR_SD


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """Risk = expit(intercept + slope · log odds).

    Parameters
    ----------
    method
        `platt`: intercept and slope were learned. `intercept`: the intercept alone. `none`:
        neither, the risks are as the model said them.
    reason
        Why less than both was learned; empty where both were.
    """

    method: Method
    intercept: float = 0.0
    slope: float = 1.0
    reason: str = ""

    def risk(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return risks, of the same shape."""
        return np.asarray(expit(self.intercept + self.slope * log_odds), dtype=np.float64)


def recalibration(log_odds: NDArray[np.float64], outcome: NDArray[np.bool_]) -> Recalibration:
    """Learn intercept and slope from patients on whom the model was not fitted.

    The intercept is free, so that the mean risk of these patients is their share of events. The
    slope's logarithm has a normal prior around 0: a dozen patients shall not turn a model round
    or make it certain. So the ranking of patients never changes.

    Parameters
    ----------
    log_odds
        float64, shape (cases,), of the model.
    outcome
        bool, shape (cases,).

    References
    ----------
    Platt 1999, "Probabilistic outputs for support vector machines"; Steyerberg et al. 2004,
    doi:10.1002/sim.1844 (shrinkage of a recalibration).
    """
    events = int(outcome.sum())
    others = len(outcome) - events
    told = f"{events} with the event and {others} without among the cases to choose by"
    if min(events, others) == 0:
        return Recalibration(method="none", reason=told)
    if min(events, others) < _FEWEST_FOR_SLOPE:
        intercept = _intercept(log_odds, outcome)
        return Recalibration(method="intercept", intercept=intercept, reason=told)

    def misfit(log_slope: float) -> float:
        scores = np.exp(log_slope) * log_odds
        signed = (scores + _intercept(scores, outcome)) * np.where(outcome, 1, -1)
        return float(np.logaddexp(0, -signed).sum() + (log_slope / _PRIOR_SD) ** 2 / 2)

    slope = float(np.exp(minimize_scalar(misfit, bounds=(-_BOUND, _BOUND), method="bounded").x))
    return Recalibration(
        method="platt", intercept=_intercept(slope * log_odds, outcome), slope=slope
    )


def log_odds_of(risk: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log odds; risks are first kept one in a million away from 0 and 1."""
    kept = np.clip(risk, _SMALLEST_RISK, 1 - _SMALLEST_RISK)
    return np.asarray(logit(kept), dtype=np.float64)


def _intercept(scores: NDArray[np.float64], outcome: NDArray[np.bool_]) -> float:
    """Solve for the intercept at which the mean risk is the share of events."""
    share = float(outcome.mean())
    # At these two all risks lie below, and all above the share.
    low, high = logit(share) - scores.max(), logit(share) - scores.min()
    if low == high:
        return float(low)
    # A hair wider: at the ends of two nearly equal scores rounding could hide the change of sign.
    found = brentq(lambda a: expit(a + scores).mean() - share, low - 1e-6, high + 1e-6, xtol=1e-12)
    return float(found)
