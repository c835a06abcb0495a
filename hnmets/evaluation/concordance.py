"""Uno's C: the chance that who metastasises first was given the higher risk."""

import numpy as np
from numpy.typing import NDArray

from hnmets.evaluation.bootstrap import Bootstrap, bootstrapped
from hnmets.evaluation.censoring import fit_censoring, require_horizon
from hnmets.evaluation.estimate import Measured
from hnmets.evaluation.follow_up import FollowUp
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.ratio import ratio


def uno_concordance(
    follow_up: FollowUp,
    risk: NDArray[np.float64],
    bootstrap: Bootstrap,
    *,
    training: FollowUp,
    tau_days: float,
) -> Measured:
    """Concordance up to a time, with censoring weights from training patients.

    A patient with an event before tau is compared with everybody watched longer and with
    everybody who died before without it: those will never have the event. Without deaths it
    is Uno's C.

    Parameters
    ----------
    risk
        Shape (n,) or (repeats, n), in the order of the follow-up; any score.
    tau_days
        Events from here on are not compared.

    Raises
    ------
    InvalidDataError
        If tau does not lie inside the training follow-up.

    References
    ----------
    Uno et al. 2011, doi:10.1002/sim.4154; with competing risks: Wolbers et al. 2014,
    doi:10.1093/biostatistics/kxt059.
    """
    require_horizon(training, tau_days)
    scores = follow_up.aligned(risk)
    early = follow_up.event & (follow_up.time_days < tau_days)
    events, pairs = _pairs(follow_up, training, tau_days)
    won = np.mean([_won(score[events], score) for score in scores], axis=0)

    def concordance(copies: NDArray[np.float64]) -> NDArray[np.float64]:
        of_events = copies[:, events]
        compared: NDArray[np.float64] = ((of_events @ pairs) * copies).sum(axis=1)
        right: NDArray[np.float64] = ((of_events @ (pairs * won)) * copies).sum(axis=1)
        return ratio(right, compared)

    return bootstrapped(
        concordance,
        Predictions(patient_ids=follow_up.patient_ids, outcome=early, risk=risk),
        bootstrap,
        stratified=True,
        undefined="no patient with an event before tau can be compared",
    )


def _pairs(
    follow_up: FollowUp, training: FollowUp, tau_days: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the m events before tau, and the weight of each comparison, shape (m, n)."""
    days = follow_up.time_days
    events = np.flatnonzero(follow_up.event & (days < tau_days))
    weight = np.zeros(len(days))
    fates_known = (days < tau_days) & (follow_up.event | follow_up.competing)
    weight[fates_known] = fit_censoring(training).weights(days[fates_known])
    own_days = days[events][:, None]
    # Of an event and anything else on one day, the event came first.
    outlived = (days > own_days) | ((days == own_days) & ~follow_up.event)
    died_before = follow_up.competing & (days < own_days)
    own_weight = weight[events][:, None]
    return events, outlived * own_weight**2 + died_before * own_weight * weight


def _won(event_score: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 where the event has the higher score, one half at ties, shape (m, n)."""
    return np.asarray((event_score[:, None] > score) + 0.5 * (event_score[:, None] == score))
