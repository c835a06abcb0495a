"""How likely a patient is still watched at a time, learned from training patients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.follow_up import FollowUp, Status


@dataclass(frozen=True, kw_only=True, eq=False)
class Censoring:
    """Kaplan-Meier estimate of the chance of not yet being censored.

    Deaths are not censoring: after a death the patient's fate is known. An event on the day of
    a censoring is taken to come first.

    Parameters
    ----------
    time_days, uncensored
        Shape (k,): steps of a right-continuous function that is 1 before the first.
    longest_days
        Last day of the training follow-up; nothing is known beyond.

    References
    ----------
    Uno et al. 2011, doi:10.1002/sim.4154.
    """

    time_days: NDArray[np.float64]
    uncensored: NDArray[np.float64]
    longest_days: float

    def weights(self, time_days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse of the chance of still being watched.

        Parameters
        ----------
        time_days
            Any shape.

        Raises
        ------
        InvalidDataError
            If a time lies beyond the training follow-up, or nobody was watched that long.
        """
        latest = float(np.max(time_days, initial=0.0))
        if latest > self.longest_days:
            raise InvalidDataError(
                f"day {latest:g} lies beyond the training follow-up of {self.longest_days:g} days"
            ).with_note("Choose an earlier horizon.")
        step = np.searchsorted(self.time_days, time_days, side="right")
        chance = np.append(1.0, self.uncensored)[step]
        if (chance <= 0).any():
            raise InvalidDataError(
                f"by day {latest:g} every training patient is censored"
            ).with_note("Choose an earlier horizon.")
        return np.asarray(1 / chance)


def fit_censoring(training: FollowUp) -> Censoring:
    """Learn the censoring distribution from training patients."""
    days, step = np.unique(training.time_days, return_inverse=True)
    censored = np.bincount(step, weights=training.status == Status.CENSORED)
    known = np.bincount(step, weights=training.status != Status.CENSORED)
    leaving = censored + known
    watched = leaving[::-1].cumsum()[::-1] - known
    lost = np.divide(censored, watched, out=np.zeros_like(censored), where=watched > 0)
    return Censoring(
        time_days=days,
        uncensored=np.cumprod(1 - lost),
        longest_days=training.longest_days,
    )


def require_horizon(training: FollowUp, horizon_days: float) -> None:
    """Refuse a horizon about which the training patients say nothing.

    Raises
    ------
    InvalidDataError
        If it is not positive or reaches the end of the training follow-up.
    """
    if not 0 < horizon_days < training.longest_days:
        raise InvalidDataError(
            f"a horizon of {horizon_days:g} days does not lie inside the training follow-up of "
            f"{training.longest_days:g} days"
        ).with_note("Choose an earlier horizon: the censoring beyond it is unknown.")
