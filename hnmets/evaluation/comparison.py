"""One model against another on the same patients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.evaluation.bootstrap import Bootstrap, bootstrapped
from hnmets.evaluation.delong import DeLong, delong
from hnmets.evaluation.estimate import Measured, NotEstimable
from hnmets.evaluation.predictions import Predictions, paired
from hnmets.evaluation.ranking import aucs


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """AUC of the first model minus AUC of the second, twice.

    Parameters
    ----------
    bootstrap
        Difference with the interval of resampled patients.
    delong
        Difference, interval and p value after DeLong.
    """

    bootstrap: Measured
    delong: DeLong


def compare(first: Predictions, second: Predictions, bootstrap: Bootstrap) -> Comparison:
    """Compare two models on the same patients, by resampling and by DeLong's test.

    Raises
    ------
    InvalidDataError
        If the patients or their outcomes differ, or patients are weighted.
    """
    return Comparison(
        bootstrap=paired_bootstrap(first, second, bootstrap),
        delong=delong(first, second, level=bootstrap.level),
    )


def paired_bootstrap(first: Predictions, second: Predictions, bootstrap: Bootstrap) -> Measured:
    """Difference of the AUCs; each resample holds the same patients for both models.

    With fewer than ten patients in a class it is narrower than it should be, as is DeLong's.

    Raises
    ------
    InvalidDataError
        If the patients, their outcomes or their weights differ.
    """
    first, second = paired(first, second)
    n, events = first.n, first.events
    if min(events, n - events) < 2:
        reason = "needs two patients with and two without the event"
        return NotEstimable(reason=reason, n=n, events=events)

    def difference(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        outcome = first.outcome
        return aucs(outcome, first.repeats, weights) - aucs(outcome, second.repeats, weights)

    return bootstrapped(
        difference,
        first,
        bootstrap,
        stratified=True,
        undefined="needs patients with and without the event",
    )
