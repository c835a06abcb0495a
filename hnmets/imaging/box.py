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


def within(inner: Box, outer: Box) -> Box:
    """Return where a box lies in the part that another one cuts out."""
    d, h, w = (
        slice(side.start - whole.start, side.stop - whole.start)
        for side, whole in zip(inner, outer, strict=True)
    )
    return d, h, w


def clipped(box: Box, shape: tuple[int, int, int]) -> tuple[Box, Box]:
    """Return the part of a box inside a volume: in the volume's and in the box's indices."""
    inside = [slice(max(b.start, 0), min(b.stop, n)) for b, n in zip(box, shape, strict=True)]
    own = [slice(i.start - b.start, i.stop - b.start) for i, b in zip(inside, box, strict=True)]
    return (inside[0], inside[1], inside[2]), (own[0], own[1], own[2])


def _extent(occupied: NDArray[np.bool_]) -> slice:
    at = np.flatnonzero(occupied)
    return slice(int(at[0]), int(at[-1]) + 1)
