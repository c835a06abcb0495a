"""Where the voxels of an array lie in the patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """The grid of a (D, H, W) array in patient space.

    Parameters
    ----------
    shape
        Voxels along (D, H, W).
    spacing_mm
        Distance of neighbouring voxel centres along (D, H, W), mm.
    origin_mm
        Position (x, y, z) of the first voxel's centre, LPS, mm, as ITK keeps it.
    direction
        ITK's 3 × 3 direction cosines, row by row: columns belong to (W, H, D).
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel, mm³."""
        return float(np.prod(self.spacing_mm))

    def position_mm(self, index: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return where an index (D, H, W) lies: (x, y, z), LPS, mm."""
        steps = np.multiply(index, self.spacing_mm)[::-1]
        x, y, z = np.reshape(self.direction, (3, 3)) @ steps + self.origin_mm
        return float(x), float(y), float(z)


@dataclass(frozen=True, kw_only=True)
class Volume:
    """Voxels and where they lie.

    Parameters
    ----------
    voxels
        Array (D, H, W). CT: HU, int16 when every voxel is a whole number (IBSI rounds CT to
        whole HU, and PyRadiomics' values depend on the pixel type), else float64. Masks: bool.
    geometry
        The grid of the voxels.
    """

    voxels: NDArray[np.generic]
    geometry: Geometry
