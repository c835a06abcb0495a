"""Interval of an AUC in few patients, where resampling sees too little spread."""

from math import sqrt

from scipy.optimize import brentq
from scipy.stats import norm

# Keeps the search off the observed AUC itself, which is a root at 1.
_BELOW = 1e-12


def score_interval(
    auc: float, *, n_events: int, n_others: int, level: float
) -> tuple[float, float]:
    """Find the true AUCs that an observed one does not contradict (Newcombe's method 5).

    A bootstrap of a perfect ranking says "1 to 1" however few the patients are; this does not.

    Parameters
    ----------
    n_events, n_others
        Patients with and without the event, at least one each.

    References
    ----------
    Newcombe 2006, doi:10.1002/sim.2324.
    """
    z = float(norm.ppf((1 + level) / 2))
    half = (n_events + n_others) / 2 - 1

    def error(truth: float) -> float:
        spread = 1 + half * ((1 - truth) / (2 - truth) + truth / (1 + truth))
        return sqrt(truth * (1 - truth) * spread / (n_events * n_others))

    def lowest(observed: float) -> float:
        if observed <= _BELOW:
            return 0.0
        return float(
            brentq(lambda truth: observed - truth - z * error(truth), 0.0, observed - _BELOW)
        )

    # The error is the same at an AUC and its complement.
    return lowest(auc), 1 - lowest(1 - auc)
