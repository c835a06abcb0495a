"""What a NIfTI header promises, checked before a voxel is read."""

from dataclasses import dataclass, field
from io import BytesIO
from math import isfinite, prod

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry
from hnmets.domain.region import Scalar
from hnmets.sources.nifti_bytes import NiftiBytes
from hnmets.sources.nifti_geometry import geometry_of

_HEADERS = {348: (nib.Nifti1Header, b"n+1"), 540: (nib.Nifti2Header, b"n+2")}
_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class NiftiHeader:
    """A header that can be trusted.

    Parameters
    ----------
    geometry
        LPS, arrays (D, H, W).
    dtype
        Of the stored voxels, byte order included.
    skip_bytes
        Between the end of the header and the first voxel.
    slope, intercept
        value = slope × stored + intercept.
    flags
        What was let pass.
    """

    geometry: Geometry
    dtype: np.dtype[np.generic]
    skip_bytes: int
    slope: float = 1.0
    intercept: float = 0.0
    flags: dict[str, Scalar] = field(default_factory=dict)

    def require_memory(self, memory_gib: float) -> None:
        """Refuse a volume that would not fit, before anything is allocated.

        Raises
        ------
        CaseError
            With the size and the limit.
        """
        shape = self.geometry.shape
        # Beside the stored voxels: float64 in the worst case, and three masks or label maps.
        needed_gib = prod(shape) * (self.dtype.itemsize + 8 + 3) / _GIB
        if needed_gib > memory_gib:
            size = " × ".join(str(n) for n in reversed(shape))
            raise CaseError(
                Code.IMAGE_TOO_LARGE,
                f"{size} voxels of {self.dtype.name} need {needed_gib:.1f} GiB, "
                f"the limit is {memory_gib:.1f} GiB",
            )


def read_header(stream: NiftiBytes) -> NiftiHeader:
    """Read and check the header at the start of a stream.

    Raises
    ------
    CaseError
        If this is not a NIfTI header, or it promises what cannot be.
    """
    header, size = _parse(stream)
    shape, flags = _shape(header)
    dtype = _dtype(header)
    slope, intercept = _scaling(header)
    return NiftiHeader(
        geometry=geometry_of(header, shape),
        dtype=dtype,
        skip_bytes=_voxel_offset(header, size) - size,
        slope=slope,
        intercept=intercept,
        flags=flags,
    )


def _parse(stream: NiftiBytes) -> tuple[nib.Nifti1Header, int]:
    block = stream.take(min(_HEADERS))
    size = next(
        (
            n
            for n in _HEADERS
            for order in ("<i4", ">i4")
            if np.frombuffer(block, order, 1)[0] == n
        ),
        0,
    )
    if not size:
        raise CaseError(Code.IMAGE_CORRUPT, "the file does not begin with a NIfTI header")
    kind, magic = _HEADERS[size]
    block += stream.take(size - len(block))
    header = kind.from_fileobj(BytesIO(block), check=False)
    if not bytes(header["magic"]).startswith(magic):
        raise CaseError(
            Code.IMAGE_CORRUPT, "the header is not of a one-file NIfTI (Analyze, or .hdr + .img)"
        )
    return header, size


def _shape(header: nib.Nifti1Header) -> tuple[tuple[int, int, int], dict[str, Scalar]]:
    dim = [int(n) for n in header["dim"]]
    if not 1 <= dim[0] <= 7:
        raise CaseError(Code.IMAGE_CORRUPT, f"the header claims {dim[0]} dimensions")
    sizes = dim[1 : dim[0] + 1]
    text = " × ".join(str(n) for n in sizes)
    if min(sizes) < 1:
        raise CaseError(Code.IMAGE_SHAPE, f"the volume has no voxels ({text})")
    if len(sizes) < 3 or prod(sizes[3:]) > 1:
        raise CaseError(Code.IMAGE_SHAPE, f"the file holds {len(sizes)} dimensions ({text})")
    flags: dict[str, Scalar] = {"stored_dimensions": len(sizes)} if len(sizes) > 3 else {}
    return (sizes[2], sizes[1], sizes[0]), flags


def _dtype(header: nib.Nifti1Header) -> np.dtype[np.generic]:
    try:
        dtype: np.dtype[np.generic] = header.get_data_dtype()
    except KeyError as error:  # nibabel looks the number up in a table
        raise CaseError(Code.IMAGE_CORRUPT, f"the voxel type is unknown ({error})") from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        code = int(header["datatype"])
        raise CaseError(Code.IMAGE_SHAPE, f"voxels are not plain numbers (NIfTI type {code})")
    return dtype


def _scaling(header: nib.Nifti1Header) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope):  # the standard's way to say "not scaled"
        return 1.0, 0.0
    if not (isfinite(slope) and isfinite(intercept)):
        raise CaseError(
            Code.IMAGE_CORRUPT, f"slope {slope} and intercept {intercept} are not numbers"
        )
    return slope, intercept


def _voxel_offset(header: nib.Nifti1Header, header_bytes: int) -> int:
    offset = float(header["vox_offset"])
    # Four bytes behind the header say whether extensions follow.
    if not isfinite(offset) or offset < header_bytes + 4 or offset != int(offset):
        raise CaseError(Code.IMAGE_CORRUPT, f"the header puts the first voxel at byte {offset:g}")
    return int(offset)


def as_array(header: NiftiHeader, content: NDArray[np.uint8]) -> NDArray[np.generic]:
    """View the stored bytes as an array (D, H, W): NIfTI's first axis runs fastest."""
    return content.view(header.dtype).reshape(header.geometry.shape)
