"""A number with its uncertainty, or the reason why there is none."""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value and its interval.

    Parameters
    ----------
    value
        Point estimate, on the original sample.
    low, high
        Ends of the interval.
    n
        Patients behind the value.
    events
        Patients among them who have the event; None where there is no event to speak of.
    level
        Nominal coverage of the interval.
    method
        How the interval came about, for the caption of a table.

    Raises
    ------
    ValueError
        If a number is not finite: what cannot be estimated is a `NotEstimable`.
    """

    value: float
    low: float
    high: float
    n: int
    events: int | None
    level: float
    method: str

    def __post_init__(self) -> None:
        if not all(map(isfinite, (self.value, self.low, self.high))):
            raise ValueError(f"{self.value} ({self.low} to {self.high}) is no estimate")


@dataclass(frozen=True, kw_only=True)
class NotEstimable:
    """The data cannot say: shown as such in every table, never as a number.

    Parameters
    ----------
    reason
        What is missing, for a reader.
    n, events
        As in `Estimate`.
    """

    reason: str
    n: int
    events: int | None


Measured = Estimate | NotEstimable


def measured_text(measured: Measured) -> str:
    """Return a number with its interval, or why there is none, in words.

    Examples
    --------
    >>> measured_text(NotEstimable(reason="nobody has the event", n=9, events=0))
    'not estimable: nobody has the event'
    """
    if isinstance(measured, Estimate):
        return f"{measured.value:.3f} ({measured.low:.3f} to {measured.high:.3f})"
    return f"not estimable: {measured.reason}"


def measured_json(measured: Measured) -> dict[str, object]:
    """Return a number with its interval, or why there is none."""
    if isinstance(measured, Estimate):
        return {"value": measured.value, "low": measured.low, "high": measured.high}
    return {"not_estimable": measured.reason}
