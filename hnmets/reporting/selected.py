"""Which columns the folds chose."""

from dataclasses import dataclass

_MOST_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class SelectedFeature:
    """A column and the share of the folds that gave it to the model."""

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
        All that were chosen at least once, most frequent first.
    given
        Columns that no step chooses: clinical variables, sizes, components of embeddings.
    stability
        Agreement of the folds after Nogueira; None where not defined.
    """

    rung: str
    folds: int
    candidates: int
    features: tuple[SelectedFeature, ...]
    given: tuple[SelectedFeature, ...] = ()
    stability: float | None

    @property
    def shown(self) -> tuple[SelectedFeature, ...]:
        """Those of the features that a report lists."""
        return self.features[:_MOST_SHOWN]
