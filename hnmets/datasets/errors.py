"""Why a split or a design matrix is refused."""

from collections.abc import Sequence
from pathlib import Path

from hnmets.domain.errors import InvalidDataError


def listed(items: Sequence[str], *, most: int = 5) -> str:
    """Return the first items and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


class SplitImpossibleError(InvalidDataError):
    """The cohort cannot be divided as asked."""


class SplitEditedError(InvalidDataError):
    """A frozen split file is not what was once written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name} is not as it was frozen: {reason}")
        self.add_note("Put the file back from a copy; results on other folds cannot be compared.")


class SplitCohortError(InvalidDataError):
    """A frozen split belongs to other cases than those of the store."""

    def __init__(self, name: str, differences: Sequence[str]) -> None:
        super().__init__(f"{name} was frozen for another cohort: {listed(differences)}")
        self.differences = tuple(differences)
        self.add_note(
            "Choose another seed for the cohort as it is now: results before and after the "
            "change are not paired."
        )


class FoldMismatchError(InvalidDataError):
    """A split and a design matrix do not speak of the same cases."""


class SeenInTrainingError(InvalidDataError):
    """An embedding's network was trained on patients who are to be scored with it."""

    def __init__(self, label: str, cases: Sequence[str]) -> None:
        super().__init__(
            f"{label}: its network was trained on {len(cases)} of the cases to be scored: "
            f"{listed(cases)}"
        )
        self.add_note("Use the embedding of the network that this fold's training part trained.")
