"""The outcome of every step that only chooses columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows
from hnmets.selection.base import AnyRows, require_columns


@dataclass(frozen=True, kw_only=True)
class KeptColumns:
    """Columns that stay.

    Parameters
    ----------
    columns
        Those that the step was fitted on.
    places
        int64, shape (kept,): places of those that stay, in their order.
    """

    columns: tuple[str, ...]
    places: NDArray[np.intp]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of those that stay."""
        return tuple(self.columns[place] for place in self.places)

    def apply(self, rows: AnyRows) -> AnyRows:
        """Return the rows with the columns that stay; see `Fitted.apply`."""
        require_columns(type(self).__name__, self.columns, rows)
        return rows.of_columns(self.places)


def without(rows: Rows, dropped: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places of all columns but these, in their order."""
    return np.setdiff1d(np.arange(len(rows.columns)), dropped)
