"""The smallest box that holds a mask: most work is done inside it."""

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice, slice]


def bounding_box(mask: NDArray[np.generic]) -> Box | None:
    """Return the slices (D, H, W) around everything that is not zero; None where all is."""
    occupied = mask.astype(np.bool_, copy=False)
    rows = np.any(occupied, axis=2)
    along_depth = np.flatnonzero(np.any(rows, axis=1))
    if not along_depth.size:
        return None
    d = slice(int(along_depth[0]), int(along_depth[-1]) + 1)
    h = _extent(np.any(rows[d], axis=0))
    return d, h, _extent(np.any(occupied[d, h], axis=(0, 1)))


def _extent(occupied: NDArray[np.bool_]) -> slice:
    at = np.flatnonzero(occupied)
    return slice(int(at[0]), int(at[-1]) + 1)
