"""DeLong's test for the AUCs of two models on the same patients."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.predictions import Predictions, paired


@dataclass(frozen=True, kw_only=True)
class DeLong:
    """AUC of the first model minus AUC of the second.

    Parameters
    ----------
    p_value
        Two-sided, for no difference; None where the difference is not estimable.
    """

    difference: Measured
    p_value: float | None


def delong(first: Predictions, second: Predictions, *, level: float = 0.95) -> DeLong:
    """Compare two models' AUCs on the same patients.

    Of out-of-fold risks it tests the risks as they are: how much a model would change with
    other training patients is not in the variance (`corrected_interval` of the fold
    differences has it). With several repeats it compares the mean AUCs.

    Parameters
    ----------
    first, second
        The same patients in any order.

    Raises
    ------
    InvalidDataError
        If the patients or their outcomes differ, or patients are weighted.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595; by midranks: Sun and Xu 2014,
    doi:10.1109/LSP.2014.2337313.
    """
    first, second = paired(first, second)
    if first.weight is not None:
        raise InvalidDataError("DeLong's variance is not that of weighted patients").with_note(
            "Compare them by `paired_bootstrap`."
        )
    n, events = first.n, first.events
    if min(events, n - events) < 2:
        reason = "needs two patients with and two without the event"
        return DeLong(difference=NotEstimable(reason=reason, n=n, events=events), p_value=None)
    of_event, of_other = (
        one - other for one, other in zip(_components(first), _components(second), strict=True)
    )
    value = float(of_event.mean())
    variance = float(of_event.var(ddof=1) / events + of_other.var(ddof=1) / (n - events))
    # Equal models differ by rounding only; so do models that rank every patient alike.
    if variance < _ROUNDING and abs(value) > sqrt(_ROUNDING):
        reason = "the difference is the same for every patient: no variance"
        return DeLong(difference=NotEstimable(reason=reason, n=n, events=events), p_value=None)
    return _tested(value, variance, n=n, events=events, level=level)


# Far above float64 rounding of a mean of components, far below one patient's weight.
_ROUNDING = 1e-24


def _tested(value: float, variance: float, *, n: int, events: int, level: float) -> DeLong:
    error = sqrt(variance)
    half = float(norm.ppf((1 + level) / 2)) * error
    difference = Estimate(
        value=value,
        low=value - half,
        high=value + half,
        n=n,
        events=events,
        level=level,
        method="DeLong",
    )
    p_value = 1.0 if variance < _ROUNDING else float(2 * norm.sf(abs(value) / error))
    return DeLong(difference=difference, p_value=p_value)


def _components(
    predictions: Predictions,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the other class that each patient outranks: events (m,), non-events (n - m,).

    Both have the AUC as their mean; their spread is what makes the AUC uncertain.
    """
    outcome, risk = predictions.outcome, predictions.repeats
    among_all = rankdata(risk, axis=1)
    n_events = int(outcome.sum())
    n_others = len(outcome) - n_events
    among_events = rankdata(risk[:, outcome], axis=1)
    among_others = rankdata(risk[:, ~outcome], axis=1)
    of_event = (among_all[:, outcome] - among_events) / n_others
    of_other = 1 - (among_all[:, ~outcome] - among_others) / n_events
    return of_event.mean(axis=0), of_other.mean(axis=0)
