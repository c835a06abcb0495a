"""What the training patients were like: whether a new one is like them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows

# Percentiles: of 200 patients ten lie beyond either, so that no number is a single person's.
_LOW, _HIGH = 5, 95
# A category of fewer patients is rare.
_FEW = 10
# So much of the percentiles' range beyond them; of a normal distribution 4.9 deviations.
_FAR = 1.0
_USUAL = 99


@dataclass(frozen=True, kw_only=True)
class ColumnReference:
    """One column of the design matrix in the training patients.

    Parameters
    ----------
    mean
        Of the patients who have a value: the share of a category.
    low, high
        5th and 95th percentile; 0 and 1 for a category.
    rare
        Whether it is a category of fewer than 10 patients.
    """

    name: str
    mean: float
    low: float
    high: float
    rare: bool = False


@dataclass(frozen=True, kw_only=True)
class Reference:
    """All columns, and how unusual a usual patient is.

    Parameters
    ----------
    patients
        Behind the numbers.
    usual_share
        99th percentile, over the training patients, of the share of a patient's numbers that
        lie outside of the 5th to 95th percentiles.
    """

    columns: tuple[ColumnReference, ...]
    patients: int
    usual_share: float

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each column, float64, shape (columns,)."""
        return np.array([column.mean for column in self.columns])

    def far(self, rows: Rows) -> list[tuple[str, ...]]:
        """Return for each row the columns that are far from all training patients.

        A number is far beyond the percentiles by more than their distance; a category is far
        where it was rare.
        """
        low, high = self._bounds
        margin = _FAR * (high - low)
        numbers = (rows.values < low - margin) | (rows.values > high + margin)
        rare = np.array([column.rare for column in self.columns]) & (rows.values == 1)
        names = np.array(rows.columns, dtype=object)
        return [tuple(names[line].tolist()) for line in numbers & ~self._is_category | rare]

    def unusual(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell for each row whether more of its numbers lie outside than usual."""
        return _outside(rows.values, *self._bounds, self._is_category) > self.usual_share

    @property
    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        columns = self.columns
        return np.array([c.low for c in columns]), np.array([c.high for c in columns])

    @property
    def _is_category(self) -> NDArray[np.bool_]:
        return _categories([column.name for column in self.columns])


def reference_of(rows: Rows) -> Reference:
    """Measure the training patients.

    Parameters
    ----------
    rows
        With the columns that the model takes, and no others.
    """
    is_category = _categories(rows.columns)
    columns = tuple(
        _column(name, rows.values[:, place], is_category=bool(is_category[place]))
        for place, name in enumerate(rows.columns)
    )
    low, high = np.array([c.low for c in columns]), np.array([c.high for c in columns])
    shares = _outside(rows.values, low, high, is_category)
    return Reference(
        columns=columns,
        patients=len(rows.case_ids),
        usual_share=float(np.percentile(shares, _USUAL)),
    )


def _column(name: str, values: NDArray[np.float64], *, is_category: bool) -> ColumnReference:
    known = values[np.isfinite(values)]
    if not len(known):
        return ColumnReference(name=name, mean=0.0, low=0.0, high=0.0)
    mean = float(known.mean())
    if is_category:
        rare = bool(known.sum() < _FEW)
        return ColumnReference(name=name, mean=mean, low=0.0, high=1.0, rare=rare)
    low, high = np.percentile(known, [_LOW, _HIGH]).tolist()
    return ColumnReference(name=name, mean=mean, low=low, high=high)


def _categories(names: Sequence[str]) -> NDArray[np.bool_]:
    return np.array(["=" in name for name in names], dtype=np.bool_)


def _outside(
    values: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    is_category: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the share of each row's known numbers outside of the bounds, shape (rows,)."""
    known = np.isfinite(values) & ~is_category
    beyond = known & ((values < low) | (values > high))
    shares: NDArray[np.float64] = beyond.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return shares
