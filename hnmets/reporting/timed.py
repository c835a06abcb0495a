"""What is said "by when": risks at a horizon, with lost and dead patients told apart."""

from dataclasses import dataclass

from hnmets.evaluation.estimate import Measured


@dataclass(frozen=True, kw_only=True)
class TimedRung:
    """One rung by the horizon.

    Parameters
    ----------
    concordance
        Uno's C up to the horizon.
    auc
        Cumulative/dynamic AUC at the horizon.
    brier
        Weighted Brier score at the horizon.
    """

    rung: str
    concordance: Measured
    auc: Measured
    brier: Measured


@dataclass(frozen=True, kw_only=True)
class Timed:
    """All rungs by the horizon, and what had become of the patients; the counts add up.

    Parameters
    ----------
    event, died, event_free, censored
        Patients with the event by the horizon; dead before it without the event; watched
        beyond it; lost before it, for whom the others stand in by weight.
    untimed
        Patients without a usable time, who are in none of these numbers.
    deaths_known
        Whether the table tells of deaths; without it the dead count as lost.
    incidence
        Chance of the event by the horizon, death being a competing risk (Aalen-Johansen).
    """

    horizon_days: float
    event: int
    died: int
    event_free: int
    censored: int
    untimed: int
    deaths_known: bool
    incidence: Measured
    rungs: tuple[TimedRung, ...]
