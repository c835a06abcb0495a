"""The endpoint "by when": who had the event by the horizon, and for whom others stand in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.evaluation.censoring import fit_censoring, require_horizon
from hnmets.evaluation.follow_up import FollowUp
from hnmets.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class HorizonFlow:
    """What became of every patient by the horizon; the four counts add up to all.

    Parameters
    ----------
    event
        Metastasis by the horizon.
    died
        Dead without metastasis by the horizon: known not to get it.
    event_free
        Watched beyond the horizon.
    censored
        Lost before the horizon: weight 0, the others stand in for them.
    """

    event: int
    died: int
    event_free: int
    censored: int


@dataclass(frozen=True, kw_only=True, eq=False)
class AtHorizon:
    """Outcome by the horizon with inverse-probability-of-censoring weights."""

    follow_up: FollowUp
    outcome: NDArray[np.bool_]
    weight: NDArray[np.float64]
    flow: HorizonFlow

    def predictions(self, risk: NDArray[np.float64]) -> Predictions:
        """Join a model's risks, so that every measure of this package applies by the horizon.

        Their AUC is the cumulative/dynamic AUC; their Brier score, calibration and net
        benefit are those by the horizon.

        Parameters
        ----------
        risk
            Shape (n,) or (repeats, n), in the order of the follow-up.
        """
        self.follow_up.aligned(risk)
        return Predictions(
            patient_ids=self.follow_up.patient_ids,
            outcome=self.outcome,
            risk=risk,
            weight=self.weight,
        )


def at_horizon(follow_up: FollowUp, *, training: FollowUp, horizon_days: float) -> AtHorizon:
    """Turn follow-up into an outcome by the horizon that drops nobody silently.

    Patients who are lost before the horizon have an unknown outcome. Leaving them out would
    favour those who fell ill early; instead the known ones are weighted by the inverse chance
    of being still watched, so that they stand in for the lost. Bootstrap intervals resample
    the patients and keep the weights: the training patients' own uncertainty is not in them.

    Parameters
    ----------
    follow_up
        Patients to be scored.
    training
        Patients of the training part; the censoring is learned from them alone.

    Raises
    ------
    InvalidDataError
        If the horizon does not lie inside the training follow-up.

    References
    ----------
    Cumulative/dynamic AUC: Uno et al. 2007, doi:10.1198/016214507000000149; deaths among the
    patients without the event: Blanche et al. 2013, doi:10.1002/sim.5958 (definition 2).
    """
    require_horizon(training, horizon_days)
    early = follow_up.time_days <= horizon_days
    outcome = early & follow_up.event
    died = early & follow_up.competing
    known = outcome | died | ~early
    known_days = np.minimum(follow_up.time_days, horizon_days)
    weight = np.zeros(len(known))
    weight[known] = fit_censoring(training).weights(known_days[known])
    flow = HorizonFlow(
        event=int(outcome.sum()),
        died=int(died.sum()),
        event_free=int((~early).sum()),
        censored=int((~known).sum()),
    )
    return AtHorizon(follow_up=follow_up, outcome=outcome, weight=weight, flow=flow)
