"""The voxel grid of a synthetic case, in millimetres around the middle of the neck."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry

FIELD_OF_VIEW_MM = (180.0, 256.0, 256.0)


@dataclass(frozen=True, kw_only=True)
class Box:
    """A block of the grid: slices to index with, and where its voxels lie.

    Parameters
    ----------
    slices
        Along (D, H, W).
    z_mm, y_mm, x_mm
        Voxel centres, shaped (D, 1, 1), (1, H, 1) and (1, 1, W) so that they broadcast.
    """

    slices: tuple[slice, slice, slice]
    z_mm: NDArray[np.float32]
    y_mm: NDArray[np.float32]
    x_mm: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (D, H, W)."""
        return self.z_mm.size, self.y_mm.size, self.x_mm.size


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Voxel centres: z grows upwards, y to the back, x to the patient's left (LPS).

    Parameters
    ----------
    shape
        Voxels along (D, H, W).
    spacing_mm
        Along (D, H, W).
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @classmethod
    def covering(cls, size: float, spacing_mm: tuple[float, float, float]) -> "Grid":
        """Return the grid over the field of view, shrunk by `size`."""
        d, h, w = (
            max(8, round(size * extent / step))
            for extent, step in zip(FIELD_OF_VIEW_MM, spacing_mm, strict=True)
        )
        return cls(shape=(d, h, w), spacing_mm=spacing_mm)

    def axis_mm(self, axis: int) -> NDArray[np.float32]:
        """Positions of the voxel centres along one axis, 0 in the middle."""
        n, step = self.shape[axis], self.spacing_mm[axis]
        return ((np.arange(n) - (n - 1) / 2) * step).astype(np.float32)

    def box(
        self,
        lowest_mm: tuple[float, float, float],
        highest_mm: tuple[float, float, float],
    ) -> Box:
        """Return the block between two corners (z, y, x), cut at the border of the grid."""
        ranges = []
        for axis in range(3):
            positions = self.axis_mm(axis)
            start, stop = np.searchsorted(positions, (lowest_mm[axis], highest_mm[axis]))
            ranges.append(slice(int(start), int(stop)))
        d, h, w = ranges
        return Box(
            slices=(d, h, w),
            z_mm=self.axis_mm(0)[d, None, None],
            y_mm=self.axis_mm(1)[None, h, None],
            x_mm=self.axis_mm(2)[None, None, w],
        )

    def around(self, centre_mm: tuple[float, float, float], reach_mm: float) -> Box:
        """Return the block that reaches this far from a point (z, y, x)."""
        z, y, x = centre_mm
        return self.box(
            (z - reach_mm, y - reach_mm, x - reach_mm), (z + reach_mm, y + reach_mm, x + reach_mm)
        )

    def geometry(self, table_mm: tuple[float, float, float]) -> Geometry:
        """Return the grid in scanner coordinates, its middle at (x, y, z) of the table."""
        first = [float(self.axis_mm(axis)[0]) for axis in (2, 1, 0)]
        x, y, z = (middle + offset for middle, offset in zip(table_mm, first, strict=True))
        return Geometry(shape=self.shape, spacing_mm=self.spacing_mm, origin_mm=(x, y, z))
