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
        Array (D, H, W), int16 or uint8.
    geometry
        With identity direction; NIfTI's x and y point the other way round than LPS.
    """
    depth_mm, height_mm, width_mm = geometry.spacing_mm
    x, y, z = geometry.origin_mm
    affine = np.diag([-width_mm, -height_mm, depth_mm, 1.0])
    affine[:3, 3] = -x, -y, z
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
