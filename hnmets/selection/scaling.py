"""Columns on a common scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import TrainRows
from hnmets.selection.base import AnyRows, require_columns, require_finite
from hnmets.selection.scope import in_scope


@dataclass(frozen=True, kw_only=True)
class FittedScaling:
    """Mean and spread of the training rows.

    Parameters
    ----------
    columns
        Those that the step was fitted on.
    mean, spread
        float64, shape (columns,): mean and standard deviation (of the population); 0 and 1
        outside of the scope, spread 1 for a constant column.
    """

    columns: tuple[str, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    def apply(self, rows: AnyRows) -> AnyRows:
        """Return the rows in standard deviations from the training mean; see `Fitted.apply`."""
        require_columns("scaling", self.columns, rows)
        return rows.with_columns(
            rows.columns,
            modalities=rows.modalities,
            values=(rows.values - self.mean) / self.spread,
        )


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Gives every column mean 0 and standard deviation 1 in the training rows.

    Parameters
    ----------
    scope
        Modalities or families; all by default.
    """

    scope: tuple[str, ...] = ()

    def fit(self, rows: TrainRows) -> FittedScaling:
        """Measure mean and spread; see `Step.fit`."""
        places = in_scope(rows, self.scope)
        values = require_finite("scaling", rows, places)
        mean, spread = np.zeros(len(rows.columns)), np.ones(len(rows.columns))
        mean[places] = values.mean(axis=0)
        found = values.std(axis=0)
        spread[places] = np.where(found > 0, found, 1.0)
        return FittedScaling(columns=rows.columns, mean=mean, spread=spread)
