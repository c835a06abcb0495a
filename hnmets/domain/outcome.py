"""Whether a patient developed distant metastasis, and when that was known."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The endpoint of one patient.

    Parameters
    ----------
    event
        Whether the event was seen (by the horizon, where the study has one).
    time_days
        Days from diagnosis to the event, or to the last follow-up without it; None where the
        table has no times.
    died
        Whether the patient was dead without the event at that time; None where the table does
        not tell.
    """

    event: bool
    time_days: float | None = None
    died: bool | None = None
