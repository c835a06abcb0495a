"""The smallest box that holds a mask: most work is done inside it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry

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


def grown(box: Box, margin: int, shape: tuple[int, int, int]) -> Box:
    """Return a box with a margin of voxels on all sides, as far as the volume goes."""
    d, h, w = (
        slice(max(side.start - margin, 0), min(side.stop + margin, n))
        for side, n in zip(box, shape, strict=True)
    )
    return d, h, w


def geometry_of(box: Box, whole: Geometry) -> Geometry:
    """Return the grid of the part of a volume that a box cuts out."""
    d, h, w = box
    return replace(
        whole,
        shape=(d.stop - d.start, h.stop - h.start, w.stop - w.start),
        origin_mm=whole.position_mm((d.start, h.start, w.start)),
    )


def _extent(occupied: NDArray[np.bool_]) -> slice:
    at = np.flatnonzero(occupied)
    return slice(int(at[0]), int(at[-1]) + 1)
