"""Why a registered model cannot be made, read, asked or promoted."""

from collections.abc import Sequence

from hnmets.domain.errors import HnmetsError, InvalidDataError, UsageError


class PackageError(InvalidDataError):
    """A package cannot be used."""

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(f"model package '{package}': {reason}")
        self.add_note("Register the run again: `hnmets models register`.")


class TamperedPackageError(PackageError):
    """A file of a package is not as it was registered."""


class ReplayError(HnmetsError):
    """What was fitted again does not say what the evaluation said."""

    exit_code = 6


class LockedTestError(HnmetsError):
    """Patients of elsewhere were looked at before: a second look is no test any more."""

    exit_code = 6


class InputError(InvalidDataError):
    """What a model was given is not what it was fitted on; no value is ever named."""

    def __init__(self, column: str, reason: str, *, row: int | None = None) -> None:
        where = "" if row is None else f"row {row + 1}: "
        super().__init__(f"{where}'{column}' {reason}")
        self.column = column
        self.reason = reason
        self.row = row


class UnknownCaseError(UsageError):
    """The store has nothing of a case.

    Parameters
    ----------
    place
        Of the case among those that were asked about, from 0: it may be told where the case may
        not.
    """

    def __init__(self, case_id: str, *, place: int) -> None:
        super().__init__(f"the store has nothing of case {case_id}")
        self.place = place
        self.add_note(
            "Name cases of the study whose features were built: `hnmets features status`."
        )


class AbsentColumnsError(InvalidDataError):
    """Columns of a feature set are there, and others of it are not."""

    def __init__(self, feature_set: str, absent: Sequence[str]) -> None:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        super().__init__(f"'{absent[0]}'{more} of {feature_set} is not among the columns")
        self.add_note("Give the whole feature set, an empty cell where a value is not known.")
