"""CT and mask on a lattice: ITK's cubic B-spline and nearest neighbour, on a window of the CT.

ITK truncates whole HU after interpolation. Where a voxel of the lattice meets one of the CT the
interpolated value is a whole number give or take a rounding error, and the sign of that error
decides the voxel. So the sums here are written in ITK's order, and give its bits.

References
----------
ITK 5.4: BSplineInterpolateImageFunction, NearestNeighborInterpolateImageFunction,
ResampleImageFilter.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.extractors.fast_radiomics.lattice import Lattice
from hnmets.extractors.fast_radiomics.spline import spline_coefficients
from hnmets.imaging.box import Box


def resampled_image(voxels: NDArray[np.generic], lattice: Lattice) -> NDArray[np.generic]:
    """Return the CT on the lattice, in the CT's own type.

    Parameters
    ----------
    voxels
        (D, H, W): int16 (truncated after interpolation, as ITK does), float32 or float64.

    Returns
    -------
    ndarray
        (D, H, W) of the lattice.
    """
    if lattice.crop is not None:
        return np.ascontiguousarray(voxels[lattice.crop])
    needed = _needed(lattice)
    coefficients = spline_coefficients(voxels, needed)
    values = np.empty(lattice.shape)
    first = np.array([side.start for side in needed[::-1]])
    size = np.array(voxels.shape[::-1])
    interpolate = _interpolate_aligned if _is_aligned(lattice) else _interpolate
    interpolate(coefficients, first, size, *_scanlines(lattice), values)
    return _cast(values, voxels.dtype)


def resampled_mask(mask: NDArray[np.bool_], lattice: Lattice) -> NDArray[np.bool_]:
    """Return the mask on the lattice, each voxel that of the nearest one in the CT."""
    if lattice.crop is not None:
        return np.ascontiguousarray(mask[lattice.crop])
    found = np.empty(lattice.shape, dtype=np.bool_)
    _nearest(mask, *_scanlines(lattice), found)
    return found


def _cast(values: NDArray[np.float64], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    if dtype == np.int16:
        limits = np.iinfo(np.int16)
        return np.trunc(np.clip(values, limits.min, limits.max)).astype(np.int16)
    return values.astype(dtype, copy=False)


def _is_aligned(lattice: Lattice) -> bool:
    """Whether the index along each axis depends on nothing but the place along it."""
    off_diagonal = ~np.eye(3, dtype=np.bool_)
    return not (lattice.step[off_diagonal].any() or lattice.to_index[off_diagonal].any())


def _scanlines(
    lattice: Lattice,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what turns an index of the lattice into one of the CT."""
    origin = np.array(lattice.origin_mm)
    return origin, lattice.step, np.array(lattice.image.origin_mm), lattice.to_index


def _needed(lattice: Lattice) -> Box:
    """Return the voxels of the CT that the interpolation of the lattice reads."""
    corners = np.indices((2, 2, 2)).reshape(3, 8).T * (np.array(lattice.shape[::-1]) - 1)
    points = corners @ lattice.step.T + np.array(lattice.origin_mm)
    index = (points - np.array(lattice.image.origin_mm)) @ lattice.to_index.T
    low, high = np.floor(index.min(axis=0)) - 2, np.ceil(index.max(axis=0)) + 3
    w, h, d = (
        slice(max(int(a), 0), min(int(b) + 1, n))
        for a, b, n in zip(low, high, lattice.image.shape[::-1], strict=True)
    )
    return d, h, w


@compiled
def _index_of(
    w: int,
    h: int,
    d: int,
    origin: NDArray[np.float64],
    step: NDArray[np.float64],
    ct_origin: NDArray[np.float64],
    to_index: NDArray[np.float64],
    index: NDArray[np.float64],
) -> None:
    """Write the CT's index (w, h, d) of a voxel of the lattice, by way of millimetres."""
    x = origin[0] + step[0, 0] * w + step[0, 1] * h + step[0, 2] * d - ct_origin[0]
    y = origin[1] + step[1, 0] * w + step[1, 1] * h + step[1, 2] * d - ct_origin[1]
    z = origin[2] + step[2, 0] * w + step[2, 1] * h + step[2, 2] * d - ct_origin[2]
    for axis in range(3):
        index[axis] = to_index[axis, 0] * x + to_index[axis, 1] * y + to_index[axis, 2] * z


@compiled
def _is_within(index: float, size: int) -> bool:
    return -0.5 <= index < size - 0.5


@compiled
def _is_inside(index: NDArray[np.float64], size: NDArray[np.int64]) -> bool:
    inside = True
    for axis in range(3):
        inside &= _is_within(index[axis], size[axis])
    return inside


@compiled
def _weights(
    axis: int,
    index: float,
    first: NDArray[np.int64],
    size: NDArray[np.int64],
    weight: NDArray[np.float64],
    tap: NDArray[np.int64],
) -> None:
    """Write the four cubic B-spline weights along an axis and the coefficients they belong to."""
    # ITK takes the floor in single precision.
    base = int(math.floor(np.float32(index)))
    t = index - base
    weight[3] = (1.0 / 6.0) * t * t * t
    weight[0] = (1.0 / 6.0) + 0.5 * t * (t - 1.0) - weight[3]
    weight[2] = t + weight[0] - 2.0 * weight[3]
    weight[1] = 1.0 - weight[0] - weight[2] - weight[3]
    for k in range(4):
        at = base - 1 + k
        # ITK mirrors the CT at its first and last voxel.
        if at < 0:
            at = -at
        elif at >= size[axis]:
            at = 2 * (size[axis] - 1) - at
        tap[k] = min(max(at, 0), size[axis] - 1) - first[axis]


@compiled
def _interpolate(
    coefficients: NDArray[np.float64],
    first: NDArray[np.int64],
    size: NDArray[np.int64],
    origin: NDArray[np.float64],
    step: NDArray[np.float64],
    ct_origin: NDArray[np.float64],
    to_index: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Evaluate the spline on every voxel of the lattice; 0 outside of the CT.

    `first` is the CT's index (w, h, d) of the first coefficient, `size` that of the CT.
    """
    n_d, n_h, n_w = out.shape
    start, end, index = np.empty(3), np.empty(3), np.empty(3)
    weight, tap = np.empty((3, 4)), np.empty((3, 4), np.int64)
    for d in range(n_d):
        for h in range(n_h):
            _index_of(0, h, d, origin, step, ct_origin, to_index, start)
            _index_of(n_w, h, d, origin, step, ct_origin, to_index, end)
            for w in range(n_w):
                for axis in range(3):
                    index[axis] = start[axis] + w / n_w * (end[axis] - start[axis])
                out[d, h, w] = 0.0
                if _is_inside(index, size):
                    for axis in range(3):
                        _weights(axis, index[axis], first, size, weight[axis], tap[axis])
                    out[d, h, w] = _spline(coefficients, weight, tap)


@compiled
def _spline(
    coefficients: NDArray[np.float64], weight: NDArray[np.float64], tap: NDArray[np.int64]
) -> float:
    """Add the 64 weighted coefficients, w fastest."""
    total = 0.0
    for d in range(4):
        for h in range(4):
            row = coefficients[tap[2, d], tap[1, h]]
            for w in range(4):
                total += weight[0, w] * weight[1, h] * weight[2, d] * row[tap[0, w]]
    return total


@compiled
def _interpolate_aligned(
    coefficients: NDArray[np.float64],
    first: NDArray[np.int64],
    size: NDArray[np.int64],
    origin: NDArray[np.float64],
    step: NDArray[np.float64],
    ct_origin: NDArray[np.float64],
    to_index: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Do the same where the axes of CT and patient agree, a line of voxels at a time.

    Each axis then has weights of its own, and a coefficient is brought to the voxels that it
    counts for once instead of for each of the 16 lines around it.
    """
    n_d, n_h, n_w = out.shape
    longest = max(n_d, n_h, n_w)
    index = np.empty((3, longest))
    _indices_by_axis(out.shape, origin, step, ct_origin, to_index, index)
    weight, tap = np.zeros((3, longest, 4)), np.zeros((3, longest, 4), np.int64)
    for axis in range(3):
        for i in range((n_w, n_h, n_d)[axis]):
            _weights(axis, index[axis, i], first, size, weight[axis, i], tap[axis, i])
    along_w = _along_w(coefficients, tap[0, :n_w])
    weight_w = weight[0, :n_w].T.copy()
    for d in range(n_d):
        for h in range(n_h):
            out[d, h] = 0.0
            if _is_within(index[2, d], size[2]) and _is_within(index[1, h], size[1]):
                weights, taps = (weight[1, h], weight[2, d]), (tap[1, h], tap[2, d])
                _spline_line(along_w, weight_w, weights, taps, out[d, h])
            for w in range(n_w):
                if not _is_within(index[0, w], size[0]):
                    out[d, h, w] = 0.0


@compiled
def _indices_by_axis(
    shape: tuple[int, int, int],
    origin: NDArray[np.float64],
    step: NDArray[np.float64],
    ct_origin: NDArray[np.float64],
    to_index: NDArray[np.float64],
    index: NDArray[np.float64],
) -> None:
    """Write the CT's index along (w, h, d) of every place along them."""
    n_d, n_h, n_w = shape
    start, end = np.empty(3), np.empty(3)
    for i in range(max(n_d, n_h)):
        _index_of(0, i, i, origin, step, ct_origin, to_index, start)
        index[1, i], index[2, i] = start[1], start[2]
    _index_of(0, 0, 0, origin, step, ct_origin, to_index, start)
    _index_of(n_w, 0, 0, origin, step, ct_origin, to_index, end)
    for i in range(n_w):
        index[0, i] = start[0] + i / n_w * (end[0] - start[0])


@compiled
def _along_w(coefficients: NDArray[np.float64], tap: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each row (d, h) the four coefficients of each w, shape (D, H, 4, W)."""
    depth, height, _ = coefficients.shape
    found = np.empty((depth, height, 4, tap.shape[0]))
    for d in range(depth):
        for h in range(height):
            for k in range(4):
                for w in range(tap.shape[0]):
                    found[d, h, k, w] = coefficients[d, h, tap[w, k]]
    return found


@compiled
def _spline_line(
    along_w: NDArray[np.float64],
    weight_w: NDArray[np.float64],
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
    taps: tuple[NDArray[np.int64], NDArray[np.int64]],
    line: NDArray[np.float64],
) -> None:
    """Add the 64 weighted coefficients of every voxel of a line, w fastest."""
    for d in range(4):
        for h in range(4):
            rows = along_w[taps[1][d], taps[0][h]]
            for k in range(4):
                for w in range(line.size):
                    line[w] += weight_w[k, w] * weights[0][h] * weights[1][d] * rows[k, w]


@compiled
def _nearest(
    mask: NDArray[np.bool_],
    origin: NDArray[np.float64],
    step: NDArray[np.float64],
    ct_origin: NDArray[np.float64],
    to_index: NDArray[np.float64],
    out: NDArray[np.bool_],
) -> None:
    n_d, n_h, n_w = out.shape
    size = np.array([mask.shape[2], mask.shape[1], mask.shape[0]])
    start, end, index = np.empty(3), np.empty(3), np.empty(3)
    for d in range(n_d):
        for h in range(n_h):
            _index_of(0, h, d, origin, step, ct_origin, to_index, start)
            _index_of(n_w, h, d, origin, step, ct_origin, to_index, end)
            for w in range(n_w):
                for axis in range(3):
                    index[axis] = start[axis] + w / n_w * (end[axis] - start[axis])
                out[d, h, w] = (
                    _is_inside(index, size)
                    and mask[_rounded(index[2]), _rounded(index[1]), _rounded(index[0])]
                )


@compiled
def _rounded(value: float) -> int:
    """Round halves up, as ITK's `RoundHalfIntegerUp` does on every processor."""
    return int(np.rint(2.0 * value + 0.5)) >> 1
