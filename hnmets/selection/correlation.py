"""Columns that say what a better one says already."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import TrainRows
from hnmets.datasets.univariate import auc_of_ranks, ranks
from hnmets.selection.base import require_finite
from hnmets.selection.content import Content
from hnmets.selection.kept import KeptColumns, without
from hnmets.selection.scope import in_scope


@dataclass(frozen=True, kw_only=True)
class Uncorrelated(KeptColumns):
    """Columns of which no two correlate above the limit.

    Parameters
    ----------
    represented_by
        For each dropped column, the better one that stays in its place.
    """

    represented_by: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CorrelationFilter:
    """Keeps the better of any two columns with |Spearman| above a limit.

    Better is the one whose AUC in the training rows is farther from 0.5; among equals, the
    first. Going from the best column to the worst, a column is dropped if it correlates with
    one that was kept: so each dropped column has a better one that stays.

    Parameters
    ----------
    limit
        Highest |Spearman| of two columns that both stay.
    scope
        Modalities or families; they are filtered against each other.
    """

    limit: float = 0.90
    scope: tuple[str, ...] = ("radiomics",)

    def __post_init__(self) -> None:
        """Check that the limit is one."""
        if not 0 < self.limit <= 1:
            raise ValueError(f"limit is {self.limit}, must be above 0 and at most 1")

    def fit(self, rows: TrainRows) -> Uncorrelated:
        """Find whom each column resembles; see `Step.fit`."""
        places = in_scope(rows, self.scope)
        values = require_finite("correlation filter", rows, places)
        keeper = keepers_of(Content(array=values), Content(array=rows.outcome), self.limit)
        dropped = np.flatnonzero(keeper != np.arange(len(keeper)))
        return Uncorrelated(
            columns=rows.columns,
            places=without(rows, places[dropped]),
            represented_by={
                rows.columns[places[place]]: rows.columns[places[keeper[place]]]
                for place in dropped
            },
        )


def spearman(ranked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank correlation of all pairs of columns; 0 with a constant column.

    Parameters
    ----------
    ranked
        float64, shape (cases, columns): ranks, ties sharing their mean.

    Returns
    -------
    NDArray
        float64, shape (columns, columns), symmetric.
    """
    centred = ranked - ranked.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    # A product of a matrix with its own transpose: NumPy computes one half and mirrors it.
    unit = centred / np.where(norm > 0, norm, 1.0)
    correlation: NDArray[np.float64] = unit.T @ unit
    return correlation


def _above(correlation: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    np.abs(correlation, out=correlation)
    # A perfect correlation comes out a few digits below or above 1.
    return correlation > limit + 1e-12 if limit < 1 else correlation > 1 - 1e-12


# The rungs of one fold ask one after the other; two are as many as their memory is worth.
@lru_cache(maxsize=2)
def keepers_of(values: Content, outcome: Content, limit: float) -> NDArray[np.intp]:
    """Return for each column the one that stays for it, itself where it stays; read-only."""
    ranked = ranks(values.array)
    # One class: no column is better than another, the first stays.
    merit = np.nan_to_num(np.abs(auc_of_ranks(ranked, outcome.array) - 0.5))
    alike = _above(spearman(ranked), limit)
    keeper = np.full(len(merit), -1, dtype=np.intp)
    for place in np.argsort(-merit, kind="stable"):
        if keeper[place] < 0:
            keeper[(keeper < 0) & alike[place]] = place
            keeper[place] = place
    keeper.setflags(write=False)
    return keeper
