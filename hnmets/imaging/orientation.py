"""Turn volumes to one axis order, so that no later stage asks how they were stored."""

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry, Volume


def canonical(volume: Volume) -> Volume:
    """Order and flip the axes to LPS: W runs to the left, H to the back, D to the head.

    Voxels are moved, never interpolated: an oblique volume stays oblique and gets the order
    that is nearest. A volume that is in order already is returned as it is.

    Returns
    -------
    Volume
        Contiguous array (D, H, W); every voxel keeps its place in the patient.
    """
    order, flips = _turn(volume.geometry)
    if order == (0, 1, 2) and not flips.any():
        return volume
    # ITK counts axes (W, H, D), the array (D, H, W): axis i is array axis 2 - i.
    voxels = volume.voxels.transpose([2 - column for column in reversed(order)])
    voxels = voxels[tuple(slice(None, None, -1 if flip else 1) for flip in reversed(flips))]
    geometry = canonical_geometry(volume.geometry)
    return Volume(voxels=np.ascontiguousarray(voxels), geometry=geometry)


def canonical_geometry(geometry: Geometry) -> Geometry:
    """Return the grid of a volume once `canonical` has turned it."""
    order, flips = _turn(geometry)
    return _turned(geometry, order=order, flips=flips)


def _turn(geometry: Geometry) -> tuple[tuple[int, ...], NDArray[np.bool_]]:
    """Return for x, y, z of the patient the axis of the volume, and whether it is flipped."""
    axes = np.array(geometry.direction).reshape(3, 3)
    order = _nearest_order(axes)
    return order, np.array([axes[row, column] < 0 for row, column in enumerate(order)])


def _nearest_order(axes: NDArray[np.float64]) -> tuple[int, ...]:
    """Return for x, y, z of the patient the axis of the volume that runs most along it."""
    return max(
        permutations(range(3)),
        key=lambda order: sum(abs(axes[row, column]) for row, column in enumerate(order)),
    )


def _turned(
    geometry: Geometry,
    *,
    order: tuple[int, ...],
    flips: NDArray[np.bool_],
) -> Geometry:
    axes = np.array(geometry.direction).reshape(3, 3)
    sizes = [geometry.shape[2 - column] for column in order]
    spacing_mm = [geometry.spacing_mm[2 - column] for column in order]
    turned = axes[:, list(order)]
    lengths = np.where(flips, (np.array(sizes) - 1) * np.array(spacing_mm), 0.0)
    origin = np.array(geometry.origin_mm) + turned @ lengths
    direction = np.where(flips, -turned, turned) + 0.0
    return Geometry(
        shape=(sizes[2], sizes[1], sizes[0]),
        spacing_mm=(spacing_mm[2], spacing_mm[1], spacing_mm[0]),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(cosine) for cosine in direction.ravel()),
    )
