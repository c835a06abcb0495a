"""Columns that say nothing."""

from dataclasses import dataclass

import numpy as np

from hnmets.datasets.rows import TrainRows
from hnmets.selection.base import require_finite
from hnmets.selection.kept import KeptColumns, without
from hnmets.selection.scope import in_scope

# Below this share of the largest value a spread is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class ZeroVariance:
    """Drops columns that have one value in all training cases.

    Parameters
    ----------
    scope
        Modalities or families; all by default.
    """

    scope: tuple[str, ...] = ()

    def fit(self, rows: TrainRows) -> KeptColumns:
        """Find the constant columns; see `Step.fit`."""
        places = in_scope(rows, self.scope)
        values = require_finite("zero variance", rows, places)
        spread = np.ptp(values, axis=0)
        constant = spread <= _ROUNDING * np.abs(values).max(axis=0, initial=0.0)
        return KeptColumns(columns=rows.columns, places=without(rows, places[constant]))
