"""The surface of a mask: area and volume by marching cubes, and the longest distances on it.

References
----------
Lorensen and Cline, doi:10.1145/37402.37422.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Surface inside a cube of eight voxels, for each of the 256 patterns of voxels.

    Parameters
    ----------
    area_mm2
        Shape (256,).
    volume_mm3
        Signed volume between the patch and the cube's first corner, shape (256,).
    volume_per_step_mm3
        What a cube one voxel further along (D, H, W) adds to it, shape (256, 3).
    """

    area_mm2: NDArray[np.float64]
    volume_mm3: NDArray[np.float64]
    volume_per_step_mm3: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Diameters:
    """The longest distance between two points of the surface, mm.

    `slice`, `column` and `row` look at points of the same D, H and W alone.
    """

    slice: float
    column: float
    row: float
    any: float


def area_and_volume(mask: NDArray[np.bool_], spacing_mm: Triple) -> tuple[float, float]:
    """Return area (mm²) and volume (mm³) of the mesh of a mask (D, H, W)."""
    patches = patches_of(spacing_mm)
    tally = np.zeros((256, 4), dtype=np.int64)
    _tally(np.pad(mask, 1).view(np.uint8), tally)
    count, steps = tally[:, 0], tally[:, 1:]
    volume = np.sum(count * patches.volume_mm3) + np.sum(steps * patches.volume_per_step_mm3)
    return float(np.sum(count * patches.area_mm2)), float(volume)


def diameters(mask: NDArray[np.bool_], spacing_mm: Triple) -> Diameters:
    """Return the longest distances on the surface of a mask (D, H, W)."""
    # Points lie half-way between two voxels: twice their index is whole.
    size = [2 * n + 3 for n in mask.shape]
    surface = np.zeros(size, dtype=np.uint8)
    _mark_points(np.pad(mask, 1).view(np.uint8), surface)
    half = np.array(spacing_mm) / 2
    extreme = np.zeros_like(surface)
    found = []
    for axis in range(3):
        planes = np.moveaxis(surface, axis, 0)
        others = np.delete(half, axis)
        found.append(_widest(planes, others[0], others[1], np.moveaxis(extreme, axis, 0)))
    # An extreme point of the whole surface is one in each of the three planes through it.
    points = np.argwhere(extreme == 3) * half
    return Diameters(slice=found[0], column=found[1], row=found[2], any=_longest(points))


@lru_cache(maxsize=64)
def patches_of(spacing_mm: Triple) -> Patches:
    """Have PyRadiomics' own mesh measure every pattern once, at the spacing in use.

    The triangles of a cube, and so its area, are a choice; this way it is PyRadiomics'.
    """
    from radiomics import cShape

    spacing = np.array(spacing_mm, dtype=np.float64)

    def measured(mask: NDArray[np.bool_]) -> tuple[float, float]:
        area, volume, _ = cShape.calculate_coefficients(np.ascontiguousarray(mask), spacing)
        return float(area), float(volume)

    area, volume, per_step = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    for pattern in range(256):
        cube = _cube(pattern)
        area[pattern], volume[pattern] = measured(cube)
        for axis in range(3):
            # With an empty layer before it the cube stands one step further.
            layers = np.moveaxis(cube, axis, 0)
            empty = np.zeros_like(layers[:1])
            both = np.moveaxis(np.concatenate([empty, layers]), 0, axis)
            before = np.moveaxis(np.concatenate([empty, layers[:1]]), 0, axis)
            moved = measured(both)[1] - measured(before)[1]
            per_step[pattern, axis] = moved - volume[pattern]
    return Patches(area_mm2=area, volume_mm3=volume, volume_per_step_mm3=per_step)


def _cube(pattern: int) -> NDArray[np.bool_]:
    """Return the eight voxels of a pattern; bit 4 d + 2 h + w is voxel (d, h, w)."""
    return np.array([pattern >> bit & 1 for bit in range(8)], dtype=np.bool_).reshape(2, 2, 2)


@compiled
def _tally(mask: NDArray[np.uint8], tally: NDArray[np.int64]) -> None:
    """Count the cubes of each pattern, and add up where they stand."""
    depth, height, width = mask.shape
    for d in range(depth - 1):
        for h in range(height - 1):
            left = _edge(mask, d, h, 0)
            for w in range(width - 1):
                right = _edge(mask, d, h, w + 1)
                pattern = left | right << 1
                left = right
                if pattern:
                    tally[pattern, 0] += 1
                    tally[pattern, 1] += d
                    tally[pattern, 2] += h
                    tally[pattern, 3] += w


@compiled
def _edge(mask: NDArray[np.uint8], d: int, h: int, w: int) -> np.int64:
    """Return four voxels of one w as the bits 0, 2, 4 and 6."""
    near = np.int64(mask[d, h, w]) | np.int64(mask[d, h + 1, w]) << 2
    return near | np.int64(mask[d + 1, h, w]) << 4 | np.int64(mask[d + 1, h + 1, w]) << 6


@compiled
def _mark_points(mask: NDArray[np.uint8], surface: NDArray[np.uint8]) -> None:
    """Mark the point between every two neighbours of which one is in the mask."""
    depth, height, width = mask.shape
    for d in range(depth - 1):
        for h in range(height - 1):
            for w in range(width - 1):
                voxel = mask[d, h, w]
                surface[2 * d + 1, 2 * h, 2 * w] = voxel != mask[d + 1, h, w]
                surface[2 * d, 2 * h + 1, 2 * w] = voxel != mask[d, h + 1, w]
                surface[2 * d, 2 * h, 2 * w + 1] = voxel != mask[d, h, w + 1]


@compiled
def _widest(
    planes: NDArray[np.uint8], row_mm: float, column_mm: float, extreme: NDArray[np.uint8]
) -> float:
    """Return the longest distance within a plane, and count its extreme points in `extreme`."""
    n_planes, n_rows, _ = planes.shape
    point = np.empty((2 * n_rows, 2), np.int64)
    hull = np.empty((4 * n_rows + 2, 2), np.int64)
    longest = 0.0
    for plane in range(n_planes):
        n_points = _ends_of_rows(planes[plane], point)
        n_hull = _convex_hull(point[:n_points], hull)
        for a in range(n_hull):
            extreme[plane, hull[a, 0], hull[a, 1]] += 1
            for b in range(a):
                rows = (hull[a, 0] - hull[b, 0]) * row_mm
                columns = (hull[a, 1] - hull[b, 1]) * column_mm
                longest = max(longest, rows * rows + columns * columns)
    return float(np.sqrt(longest))


@compiled
def _ends_of_rows(plane: NDArray[np.uint8], point: NDArray[np.int64]) -> int:
    """Write the first and the last point of each row, in ascending order."""
    n_points = 0
    for row in range(plane.shape[0]):
        first, last = -1, -1
        for column in range(plane.shape[1]):
            if plane[row, column]:
                first = column if first < 0 else first
                last = column
        if first >= 0:
            point[n_points, 0], point[n_points, 1] = row, first
            n_points += 1
        if last > first:
            point[n_points, 0], point[n_points, 1] = row, last
            n_points += 1
    return n_points


@compiled
def _convex_hull(point: NDArray[np.int64], hull: NDArray[np.int64]) -> int:
    """Write the corners of the convex hull of ascending points (Andrew's monotone chain)."""
    n = point.shape[0]
    if n < 3:
        hull[:n] = point
        return n
    size = 0
    for pass_over in range(2):
        start = size
        for k in range(n):
            i = k if pass_over == 0 else n - 1 - k
            while size - start > 1 and _turn(hull[size - 2], hull[size - 1], point[i]) <= 0:
                size -= 1
            hull[size] = point[i]
            size += 1
        size -= 1  # the last point starts the other half
    return size


@compiled
def _turn(a: NDArray[np.int64], b: NDArray[np.int64], c: NDArray[np.int64]) -> int:
    """Return a number above 0 where a, b, c turn left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@compiled
def _longest(point: NDArray[np.float64]) -> float:
    longest = 0.0
    for a in range(point.shape[0]):
        for b in range(a):
            d = point[a, 0] - point[b, 0]
            h = point[a, 1] - point[b, 1]
            w = point[a, 2] - point[b, 2]
            longest = max(longest, d * d + h * h + w * w)
    return float(np.sqrt(longest))
