"""How a cohort is divided."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["k-fold", "centre", "time"]


@dataclass(frozen=True, kw_only=True)
class SplitParameters:
    """How a cohort is divided into training and held-out patients.

    Parameters
    ----------
    kind
        `k-fold`: repeated, stratified by the event. `centre`: each centre is held out once.
        `time`: patients from a date on are held out.
    folds, repeats
        Of `k-fold`: one division is luck, five show how much.
    inner_folds
        Parts into which each training part is divided for what stops, thresholds, calibrates or
        chooses.
    since
        Of `time`: first date that is held out, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    seed
        Of the shuffling.
    """

    kind: Kind = "k-fold"
    folds: int = 5
    repeats: int = 5
    inner_folds: int = 5
    since: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that the settings fit each other."""
        if min(self.folds, self.inner_folds) < 2:
            raise ValueError("`folds` and `inner_folds` are at least 2")
        if self.repeats < 1 or self.seed < 0:
            raise ValueError("`repeats` is at least 1, `seed` not negative")
        if (self.kind == "time") != (self.since is not None):
            raise ValueError("`since` belongs to kind `time`, and that needs it")

    @property
    def label(self) -> str:
        """Name of the split, and of its file.

        Examples
        --------
        >>> SplitParameters().label
        'k-fold-5x5-inner5-seed0'
        """
        how = {
            "k-fold": f"k-fold-{self.folds}x{self.repeats}",
            "centre": "centre",
            "time": f"time-{self.since}",
        }
        return f"{how[self.kind]}-inner{self.inner_folds}-seed{self.seed}"
