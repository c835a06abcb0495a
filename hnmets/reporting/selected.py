"""Which columns the folds chose."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SelectedFeature:
    """A column and the share of the folds that chose it."""

    name: str
    frequency: float


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the folds of one rung chose.

    Parameters
    ----------
    candidates
        Columns that could have been chosen.
    features
        Most frequent first.
    stability
        Agreement of the folds after Nogueira; None where not defined.
    """

    rung: str
    folds: int
    candidates: int
    features: tuple[SelectedFeature, ...]
    stability: float | None
