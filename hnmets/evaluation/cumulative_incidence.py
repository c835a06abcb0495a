"""Chance of metastasis by a time, when death may come first (Aalen-Johansen)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.follow_up import FollowUp


@dataclass(frozen=True, kw_only=True, eq=False)
class CumulativeIncidence:
    """Step functions over the days on which somebody left.

    Parameters
    ----------
    time_days
        Rising, shape (k,).
    at_risk
        Patients watched and alive without metastasis just before that day, shape (k,).
    incidence, low, high
        Chance of metastasis up to and with that day, and its pointwise interval, shape (k,).
    competing
        Chance of death without metastasis, shape (k,).
    """

    time_days: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    incidence: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    competing: NDArray[np.float64]
    n: int
    events: int
    bootstrap: Bootstrap

    def at(self, day: float) -> Estimate:
        """Chance of metastasis by a day.

        Raises
        ------
        InvalidDataError
            If nobody was watched that long.
        """
        if not 0 <= day <= self.time_days[-1]:
            raise InvalidDataError(
                f"day {day:g} lies outside the follow-up of {self.time_days[-1]:g} days"
            )
        step = int(np.searchsorted(self.time_days, day, side="right"))
        value, low, high = (
            float(np.append(0.0, curve)[step]) for curve in (self.incidence, self.low, self.high)
        )
        return Estimate(
            value=value,
            low=low,
            high=high,
            n=self.n,
            events=self.events,
            level=self.bootstrap.level,
            method=f"Aalen-Johansen, patient bootstrap, {self.bootstrap.draws} draws",
        )


def cumulative_incidence(follow_up: FollowUp, bootstrap: Bootstrap) -> CumulativeIncidence:
    """Estimate the chance of metastasis with death as a competing risk.

    Treating deaths as censored (1 - Kaplan-Meier) would let the dead metastasise later and
    overstates the chance.

    References
    ----------
    Aalen and Johansen 1978, https://www.jstor.org/stable/4615704; Putter et al. 2007,
    doi:10.1002/sim.2712.
    """
    n = len(follow_up.patient_ids)
    days, step = np.unique(follow_up.time_days, return_inverse=True)
    everyone = np.ones((1, n))
    event, competing, at_risk = _incidences(follow_up, step, everyone)
    draws, _, _ = _incidences(follow_up, step, bootstrap.copies(np.zeros(n, bool)))
    low, high = bootstrap.ends(draws)
    return CumulativeIncidence(
        time_days=days,
        at_risk=at_risk[0].astype(np.int64),
        incidence=event[0],
        low=low,
        high=high,
        competing=competing[0],
        n=n,
        events=int(follow_up.event.sum()),
        bootstrap=bootstrap,
    )


def _incidences(
    follow_up: FollowUp, step: NDArray[np.intp], copies: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return event and competing incidence and the number at risk, each (draws, k)."""
    order = np.argsort(step, kind="stable")
    starts = np.flatnonzero(np.diff(step[order], prepend=-1))
    in_order = copies[:, order]

    def by_day(which: NDArray[np.bool_]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.add.reduceat(in_order * which[order], starts, axis=1)
        return found

    events, deaths = by_day(follow_up.event), by_day(follow_up.competing)
    leaving = by_day(np.ones(len(step), bool))
    at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]
    # A resample may hold nobody on the last days: then nothing happens on them.
    share = np.divide(1.0, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    free = np.cumprod(1 - (events + deaths) * share, axis=1)
    free_before = np.hstack([np.ones((len(free), 1)), free[:, :-1]])
    event_incidence = np.cumsum(free_before * events * share, axis=1)
    return event_incidence, np.cumsum(free_before * deaths * share, axis=1), at_risk
