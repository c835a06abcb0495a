"""NIfTI files whose bytes depend on their content alone."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry


def write_nifti(path: Path, voxels: NDArray[np.generic], geometry: Geometry) -> None:
    """Write a `.nii.gz` at once: a reader sees all of it or nothing.

    Parameters
    ----------
    voxels
        Array (D, H, W): int16, uint8 or float32.
    geometry
        Of the voxels, LPS.
    """
    affine = affine_ras(geometry)
    image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), affine, dtype=voxels.dtype)
    image.header.set_xyzt_units("mm")
    # Both forms, saying the same: readers disagree about which one counts.
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    # mtime=0 and no file name: the same case gives the same bytes, today and tomorrow.
    content = gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)


def affine_ras(geometry: Geometry) -> NDArray[np.float64]:
    """Return the 4 × 4 matrix from voxel (W, H, D) to NIfTI's RAS: x and y are LPS's reversed."""
    affine = np.eye(4)
    axes = np.reshape(geometry.direction, (3, 3)) * geometry.spacing_mm[::-1]
    # Adding zero turns -0.0 into 0.0, which would be other bytes.
    affine[:3, :3] = axes * [[-1.0], [-1.0], [1.0]] + 0.0
    affine[:3, 3] = np.multiply(geometry.origin_mm, (-1.0, -1.0, 1.0))
    return affine
