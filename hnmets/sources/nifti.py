"""CT and masks from NIfTI files: every check first, then arrays (D, H, W) in LPS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Volume
from hnmets.domain.region import Scalar
from hnmets.sources.hounsfield import to_hounsfield
from hnmets.sources.labels import to_labels
from hnmets.sources.nifti_bytes import opened
from hnmets.sources.nifti_header import NiftiHeader, as_array, read_header


@dataclass(frozen=True, kw_only=True)
class ReadVolume:
    """A volume, the identity of its file, and what was let pass.

    Parameters
    ----------
    volume
        As stored: axes in the file's order; `hnmets.imaging.orientation` turns them.
    digest
        SHA-256 of the file's bytes.
    flags
        Notes for a person: share_clipped_hu, hu_suspect, stored_dimensions.
    """

    volume: Volume
    digest: str
    flags: Mapping[str, Scalar] = field(default_factory=dict)


def read_ct(path: Path, *, memory_gib: float) -> ReadVolume:
    """Read a CT in HU, clipped to −1024…3071.

    Parameters
    ----------
    path
        `.nii` or `.nii.gz`.
    memory_gib
        A volume that needs more is refused from its header.

    Returns
    -------
    ReadVolume
        int16 where every voxel is a whole number of HU, else float64.

    Raises
    ------
    CaseError
        If the file is missing, damaged, not one volume, too large, placed ambiguously, or
        holds voxels that are not finite.
    """
    header, stored, digest = _read(path, memory_gib)
    hu, flags = to_hounsfield(stored, slope=header.slope, intercept=header.intercept)
    volume = Volume(voxels=hu, geometry=header.geometry)
    return ReadVolume(volume=volume, digest=digest, flags=header.flags | flags)


def read_mask(path: Path, *, memory_gib: float) -> ReadVolume:
    """Read a mask or label map; which label is which region is decided later.

    Returns
    -------
    ReadVolume
        Integer voxels; fractions within 0.001 of a label are rounded.

    Raises
    ------
    CaseError
        As `read_ct`, and if a voxel is no whole number.
    """
    header, stored, digest = _read(path, memory_gib)
    labels = to_labels(stored, slope=header.slope, intercept=header.intercept)
    volume = Volume(voxels=labels, geometry=header.geometry)
    return ReadVolume(volume=volume, digest=digest, flags=header.flags)


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read what a file says of its volume, and no voxel.

    Raises
    ------
    CaseError
        If the file is missing, or its header promises what cannot be.
    """
    with opened(path) as stream:
        return read_header(stream)


def _read(path: Path, memory_gib: float) -> tuple[NiftiHeader, NDArray[np.generic], str]:
    with opened(path) as stream:
        header = read_header(stream)
        header.require_memory(memory_gib)
        stream.skip(header.skip_bytes)
        content = np.empty(np.prod(header.geometry.shape) * header.dtype.itemsize, np.uint8)
        stream.fill(content.data)
        stream.finish()
    return header, as_array(header, content), stream.digest
