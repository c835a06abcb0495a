"""Patient-level bootstrap: each draw is a number of copies of every patient."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.predictions import Predictions

# Weights of patients, shape (draws, n), to values of the statistic, shape (draws,); NaN where
# a draw does not define it.
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
# With more undefined draws than this the remaining ones are a biased choice.
_MOST_UNDEFINED = 0.05


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How to draw.

    Parameters
    ----------
    draws
        Resamples of the patients.
    seed
        The same seed gives the same interval.
    level
        Nominal coverage.

    Raises
    ------
    InvalidDataError
        If the settings cannot be meant.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, doi:10.1201/9780429246593:
    percentile interval.
    """

    draws: int = 2000
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.draws < 1 or not 0 < self.level < 1:
            raise InvalidDataError(f"a bootstrap of {self.draws} draws at level {self.level:g}")

    def copies(self, strata: NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw every patient a number of times, keeping the size of each stratum.

        Parameters
        ----------
        strata
            Shape (n,); all equal for an unstratified bootstrap.

        Returns
        -------
        NDArray
            float64, shape (draws, n), non-negative whole numbers.
        """
        rng = np.random.default_rng(self.seed)
        copies = np.zeros((self.draws, len(strata)))
        for stratum in np.unique(strata):
            rows = np.flatnonzero(strata == stratum)
            drawn = rng.integers(len(rows), size=(self.draws, len(rows)))
            drawn += len(rows) * np.arange(self.draws)[:, None]
            counted = np.bincount(drawn.ravel(), minlength=self.draws * len(rows))
            copies[:, rows] = counted.reshape(self.draws, len(rows))
        return copies

    def ends(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cut off the tails: ends of the percentile interval.

        Parameters
        ----------
        values
            Shape (draws, ...), finite.
        """
        tail = (1 - self.level) / 2
        low, high = np.quantile(values, [tail, 1 - tail], axis=0)
        return low, high


def bootstrapped(
    statistic: Statistic,
    predictions: Predictions,
    bootstrap: Bootstrap,
    *,
    stratified: bool,
    undefined: str,
) -> Measured:
    """Estimate a statistic with a percentile interval over patients.

    Parameters
    ----------
    stratified
        Keep the number of events. Right for what does not depend on the prevalence
        (AUC, sensitivity); for what does, it would hide that the prevalence is uncertain too.
    undefined
        Reason to give where the sample does not define the statistic.
    """
    n, events = predictions.n, predictions.events
    if n == 0:
        return NotEstimable(reason="no patients", n=0, events=0)
    (value,) = statistic(predictions.weights[None, :])
    if not np.isfinite(value):
        return NotEstimable(reason=undefined, n=n, events=events)
    strata = predictions.outcome if stratified else np.zeros(len(predictions.outcome), bool)
    values = statistic(bootstrap.copies(strata) * predictions.weights)
    defined = values[np.isfinite(values)]
    n_undefined = len(values) - len(defined)
    if n_undefined > _MOST_UNDEFINED * len(values):
        reason = f"undefined in {n_undefined} of {len(values)} resamples: {undefined}"
        return NotEstimable(reason=reason, n=n, events=events)
    low, high = bootstrap.ends(defined)
    return Estimate(
        value=float(value),
        low=float(low),
        high=float(high),
        n=n,
        events=events,
        level=bootstrap.level,
        method=_method(bootstrap, stratified=stratified, n_undefined=n_undefined),
    )


def _method(bootstrap: Bootstrap, *, stratified: bool, n_undefined: int) -> str:
    kind = "stratified patient bootstrap" if stratified else "patient bootstrap"
    left_out = f", {n_undefined} undefined left out" if n_undefined else ""
    return f"{kind}, {bootstrap.draws} draws{left_out}"
