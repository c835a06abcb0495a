"""Sample a volume on another grid along its own axes, touching only the voxels that are needed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

# Half a voxel behind the outermost centre still is the volume, whatever rounding a grid has.
_ROUNDING = 1e-6


def linear(voxels: NDArray[np.generic], positions: Positions, *, outside: float) -> NDArray[Any]:
    """Interpolate linearly; what lies outside the volume gets a value of its own.

    Equal to resampling the whole volume, in the time of the region alone: along axes of the
    volume, trilinear interpolation is three interpolations along one axis each. Within half a
    voxel behind the outermost centres the border's value holds, as in ITK.

    Parameters
    ----------
    voxels
        Array (D, H, W).
    positions
        Where to sample along (D, H, W), in voxels of the volume, ascending.

    Returns
    -------
    NDArray
        float64, one voxel per combination of positions.
    """
    lower, upper, weights = zip(*map(_neighbours, positions, voxels.shape), strict=True)
    region = tuple(slice(low[0], up[-1] + 1) for low, up in zip(lower, upper, strict=True))
    sampled: NDArray[Any] = voxels[region].astype(np.float64)
    # The axis that grows most comes last: the others then move less.
    for axis in sorted(range(3), key=lambda a: len(positions[a]) / sampled.shape[a]):
        start = lower[axis][0]
        below = sampled.take(lower[axis] - start, axis)
        above = sampled.take(upper[axis] - start, axis)
        shape = [-1 if a == axis else 1 for a in range(3)]
        sampled = below + (above - below) * weights[axis].reshape(shape)
    for axis, (at, n) in enumerate(zip(positions, voxels.shape, strict=True)):
        sampled[(slice(None),) * axis + (~inside(at, n),)] = outside
    return sampled


def nearest(mask: NDArray[np.bool_], positions: Positions) -> NDArray[np.bool_]:
    """Take the nearest voxel of a mask; outside the volume there is nothing.

    Positions half-way between two voxels take the second, as in ITK.
    """
    index = [np.floor(at + 0.5 + _ROUNDING).astype(np.intp) for at in positions]
    within = [inside(at, n) for at, n in zip(positions, mask.shape, strict=True)]
    clipped = [np.clip(i, 0, n - 1) for i, n in zip(index, mask.shape, strict=True)]
    sampled: NDArray[np.bool_] = mask[np.ix_(*clipped)] & np.logical_and.outer(
        np.logical_and.outer(within[0], within[1]), within[2]
    )
    return sampled


def inside(at: NDArray[np.float64], n: int) -> NDArray[np.bool_]:
    """Tell which positions along an axis of `n` voxels lie in the volume."""
    within: NDArray[np.bool_] = (at >= -0.5 - _ROUNDING) & (at <= n - 0.5 + _ROUNDING)
    return within


def _neighbours(
    at: NDArray[np.float64], n: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the voxels below and above each position, and the weight of the upper one."""
    clipped = np.clip(at, 0, n - 1)
    lower = np.floor(clipped).astype(np.intp)
    return lower, np.minimum(lower + 1, n - 1), clipped - lower
