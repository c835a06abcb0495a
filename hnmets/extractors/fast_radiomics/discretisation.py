"""Grey levels: PyRadiomics' bin edges, and the bin of every voxel.

References
----------
PyRadiomics 3.1, `imageoperations.getBinEdges` and `binImage`. With a fixed width the edges are
multiples of the width and not, as the IBSI has it, counted from the lowest voxel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled

Edges = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The grey levels of a region.

    Parameters
    ----------
    present
        int64, shape (g,): the levels that occur, ascending, from 1.
    rank
        uint16, shape (n,): 1 + the position of each voxel's level in `present`.
    counts
        int64, shape (g,): voxels of each level.
    """

    present: NDArray[np.int64]
    rank: NDArray[np.uint16]
    counts: NDArray[np.int64]

    @property
    def highest(self) -> int:
        """The highest level: Ng of the formulas, empty levels counted."""
        return int(self.present[-1])


def bin_edges(values: NDArray[np.generic], *, width: float, count: int | None) -> Edges:
    """Return PyRadiomics' edges, ascending, computed in the type of the image.

    Parameters
    ----------
    values
        Shape (n,), all finite.
    width
        Bin width; not used where a count is given.
    count
        Number of bins between the extremes, or None.
    """
    if count is not None:
        edges: Edges = np.histogram_bin_edges(values, count)
        edges[-1] += 1  # so that the highest voxel falls below the last edge
        return edges
    lowest, highest = values.min(), values.max()
    edges = np.arange(lowest - (lowest % width), highest + 2 * width, width)
    if edges.size == 1:
        return np.array([edges[0] - 0.5, edges[0] + 0.5])
    return edges


def discretised(values: NDArray[np.generic], edges: Edges) -> Levels:
    """Put every voxel into its bin; a voxel on an edge belongs to the bin above.

    Raises
    ------
    ValueError
        If a voxel lies below the first edge, or more than 65,534 levels occur.
    """
    levels = np.empty(values.size, dtype=np.int64)
    _digitize(values, edges.astype(np.float64), levels)
    counts = np.bincount(levels)
    if counts[0]:
        raise ValueError("a voxel lies below the first bin edge")
    present = np.flatnonzero(counts)
    if present.size >= np.iinfo(np.uint16).max:
        raise ValueError(f"{present.size} grey levels")
    ranks = np.zeros(counts.size, dtype=np.uint16)
    ranks[present] = np.arange(1, present.size + 1)
    return Levels(present=present, rank=ranks[levels], counts=counts[present])


@compiled
def _digitize(
    values: NDArray[np.generic], edges: NDArray[np.float64], levels: NDArray[np.int64]
) -> None:
    """Count the edges at or below each voxel: a guess by division, put right by comparison."""
    last = edges.size
    width = edges[1] - edges[0]
    for i in range(values.size):
        value = np.float64(values[i])
        level = min(max(int((value - edges[0]) / width) + 1, 0), last)
        while level > 0 and value < edges[level - 1]:
            level -= 1
        while level < last and value >= edges[level]:
            level += 1
        levels[i] = level
