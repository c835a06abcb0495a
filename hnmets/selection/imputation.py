"""Values for what is absent, and a column that says so."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows, TrainRows
from hnmets.selection.base import AnyRows, require_columns

# Ends the name of a column that says what is absent.
ABSENT = ":absent"
Places = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A column that tells what share of a group of columns is absent.

    Columns that lack a value in exactly the same training cases are one group: a patient
    without a modality becomes one column, not one for each of its features.

    Parameters
    ----------
    name
        `radiomics.ring.original_shape_Elongation:absent`, after the first of the group.
    places
        int64, shape (group,): places of the group among the columns fitted on.
    """

    name: str
    modality: str
    places: Places


@dataclass(frozen=True, kw_only=True)
class FittedImputation:
    """Medians of the training rows.

    Parameters
    ----------
    columns
        Those that the step was fitted on.
    places
        int64, shape (kept,): places of the columns with a value in some training case; nothing
        is known of the others, and they go.
    medians
        float64, shape (kept,).
    indicators
        Columns that are added, in this order, behind the others.
    """

    columns: tuple[str, ...]
    places: Places
    medians: NDArray[np.float64]
    indicators: tuple[Indicator, ...]

    def apply(self, rows: AnyRows) -> AnyRows:
        """Return the rows with every value present; see `Fitted.apply`."""
        require_columns("imputation", self.columns, rows)
        known = np.isfinite(rows.values)
        kept = rows.of_columns(self.places)
        filled = np.where(known[:, self.places], kept.values, self.medians)
        shares = [1 - known[:, group.places].mean(axis=1) for group in self.indicators]
        return kept.with_columns(
            [*kept.columns, *(group.name for group in self.indicators)],
            modalities=[*kept.modalities, *(group.modality for group in self.indicators)],
            values=np.column_stack([filled, *shares]),
        )


@dataclass(frozen=True, kw_only=True)
class MedianImputation:
    """Fills absent and infinite values with the training median, and marks where.

    Parameters
    ----------
    fewest_for_indicator
        Training cases with and without the value that an indicator needs: one that marks two
        patients learns those two by heart.
    """

    fewest_for_indicator: int = 5

    def __post_init__(self) -> None:
        """Check that an indicator marks anybody."""
        if self.fewest_for_indicator < 1:
            raise ValueError("fewest_for_indicator is at least 1")

    def fit(self, rows: TrainRows) -> FittedImputation:
        """Find medians and groups of gaps; see `Step.fit`."""
        known = np.isfinite(rows.values)
        places = np.flatnonzero(known.any(axis=0))
        values = np.where(known[:, places], rows.values[:, places], np.nan)
        return FittedImputation(
            columns=rows.columns,
            places=places,
            medians=np.nanmedian(values, axis=0) if places.size else np.empty(0),
            indicators=tuple(self._indicators(rows, ~known)),
        )

    def _indicators(self, rows: Rows, gaps: NDArray[np.bool_]) -> Iterator[Indicator]:
        groups: dict[tuple[str, bytes], list[int]] = {}
        counts = gaps.sum(axis=0)
        for place in np.flatnonzero(counts):
            if min(counts[place], len(gaps) - counts[place]) >= self.fewest_for_indicator:
                key = rows.modalities[place], gaps[:, place].tobytes()
                groups.setdefault(key, []).append(int(place))
        for (modality, _), group in groups.items():
            yield Indicator(
                name=f"{rows.columns[group[0]]}{ABSENT}",
                modality=modality,
                places=np.array(group, dtype=np.intp),
            )
