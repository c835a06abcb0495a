"""What a small number of events cannot show, in numbers."""

from dataclasses import dataclass

from hnmets.evaluation.score_interval import score_interval
from hnmets.reporting.findings import Findings

# Below so many, one patient is a tenth of the sensitivity.
FEW = 10
# Below so many, a calibration curve is a guess: Collins et al. 2016, doi:10.1002/sim.6787.
CALIBRATION_NEEDS = 100
# A value that would please everybody.
_HOPED = 0.80


@dataclass(frozen=True, kw_only=True)
class FewEvents:
    """The consequences of few patients in one class.

    Parameters
    ----------
    least
        Patients with the event, or without it if those are fewer.
    one_patient
        By how much the AUC changes when one of them moves from the last place to the first.
    hoped
        A good AUC, and the interval that it would have with these patients.
    """

    n: int
    events: int
    least: int
    one_patient: float
    hoped: float
    hoped_low: float
    hoped_high: float


def few_events(findings: Findings) -> FewEvents | None:
    """Return the consequences, or None where there are ten and more of each class."""
    n, events = findings.main.n, findings.main.events
    least = min(events, n - events)
    if least >= FEW:
        return None
    low, high = (
        score_interval(_HOPED, n_events=events, n_others=n - events, level=findings.protocol.level)
        if least
        else (0.0, 1.0)
    )
    return FewEvents(
        n=n,
        events=events,
        least=least,
        one_patient=1 / max(least, 1),
        hoped=_HOPED,
        hoped_low=low,
        hoped_high=high,
    )
