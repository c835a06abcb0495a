"""What both radiomics engines take and give."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.extractors.radiomics_parameters import RadiomicsParameters, VoxelType
from hnmets.imaging.box import Box, bounding_box


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The features of a region, and what was seen of it.

    Parameters
    ----------
    values
        By PyRadiomics' names; filters that do not fit into the box are absent.
    box
        Voxels (D, H, W) of the image that the filters saw.
    n_voxels
        Voxels of the region on the grid of the measurement.
    lowest_hu, highest_hu
        Within the region, on that grid.
    """

    values: Mapping[str, float]
    box: tuple[int, int, int]
    n_voxels: int
    lowest_hu: float
    highest_hu: float


def as_measured(voxels: NDArray[np.generic], voxel_type: VoxelType) -> NDArray[np.generic]:
    """Return the voxels in the type that is measured; fractions of HU in double."""
    if voxel_type == "float32":
        return voxels.astype(np.float32, copy=False)
    return voxels if voxels.dtype == np.int16 else voxels.astype(np.float64, copy=False)


def require_length(ct: Volume, parameters: RadiomicsParameters) -> None:
    """Refuse a CT that is two voxels thin where it is resampled.

    ITK's cubic spline needs three: it would read beyond its coefficients.

    Raises
    ------
    CaseError
        With the size of the CT.
    """
    if parameters.spacing_dhw_mm is not None and 2 in ct.geometry.shape:
        size = " × ".join(map(str, ct.geometry.shape))
        raise CaseError(
            Code.REGION_SMALL,
            f"the CT has {size} voxels, its resampling needs three along each axis",
        )


def box_of(mask: NDArray[np.bool_]) -> Box:
    """Return the smallest box around a region.

    Raises
    ------
    CaseError
        If the region holds no voxel.
    """
    box = bounding_box(mask)
    if box is None:
        raise CaseError(Code.REGION_EMPTY, "the region holds no voxel")
    return box
