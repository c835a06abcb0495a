"""Who was studied: the way into the cohort, what is missing, what is predicted by when."""

from dataclasses import dataclass

from hnmets.domain.errors import InvalidDataError


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Cases that left at one step for one reason."""

    step: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class CohortFlow:
    """From the rows that were read to the patients that were scored.

    Parameters
    ----------
    read
        Cases in the manifest.
    exclusions
        In the order in which they happened.
    included
        Cases that were scored.
    patients, events
        Patients behind the included cases, and those of them with the event.

    Raises
    ------
    InvalidDataError
        If a case was lost or counted twice.
    """

    read: int
    exclusions: tuple[Exclusion, ...] = ()
    included: int
    patients: int
    events: int

    def __post_init__(self) -> None:
        excluded = sum(exclusion.count for exclusion in self.exclusions)
        if self.read != self.included + excluded:
            raise InvalidDataError(
                f"{self.read} cases read, but {self.included} included and {excluded} excluded"
            ).with_note("Each excluded case has exactly one reason.")
        if min(self.read, self.included, *(step.count for step in self.exclusions)) < 0:
            raise InvalidDataError("the cohort flow has a negative count")
        if not 0 <= self.events <= self.patients <= self.included:
            raise InvalidDataError(
                f"{self.events} events of {self.patients} patients in {self.included} cases"
            )

    @property
    def remaining(self) -> tuple[int, ...]:
        """Cases left after each exclusion.

        Examples
        --------
        >>> lost = Exclusion(step="images", reason="no mask", count=2)
        >>> CohortFlow(read=9, exclusions=(lost,), included=7, patients=7, events=1).remaining
        (7,)
        """
        left, remaining = self.read, []
        for exclusion in self.exclusions:
            left -= exclusion.count
            remaining.append(left)
        return tuple(remaining)


@dataclass(frozen=True, kw_only=True)
class MissingValues:
    """One variable or modality over the included cases.

    Parameters
    ----------
    handling
        What was done where it is missing: `median of the training part`, `case left out`, …

    Raises
    ------
    InvalidDataError
        If a count is negative.
    """

    variable: str
    known: int
    missing: int
    handling: str

    def __post_init__(self) -> None:
        if min(self.known, self.missing) < 0:
            raise InvalidDataError(f"{self.variable}: a negative count of known or missing cases")

    @property
    def share(self) -> float:
        """Share of the cases without a value.

        Examples
        --------
        >>> MissingValues(variable="alcohol", known=3, missing=1, handling="indicator").share
        0.25
        """
        return self.missing / max(self.known + self.missing, 1)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What is predicted.

    Parameters
    ----------
    definition
        In words, from which column.
    horizon_days
        By when; None where the table has no times and the event is "ever seen".
    censoring
        How patients who were lost before the horizon count.
    competing
        How death without the event counts.
    follow_up_days
        Median follow-up of patients without the event; None where unknown.
    """

    name: str
    definition: str
    horizon_days: float | None
    censoring: str
    competing: str
    follow_up_days: float | None = None
