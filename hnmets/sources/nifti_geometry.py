"""Where a NIfTI header puts its voxels: RAS there, LPS here."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry

# ITK's own default is too strict for numbers that went through float32 (ITK#1607).
_RELATIVE_TOLERANCE = 1e-4
_ORIGIN_TOLERANCE_VOXELS = 1e-3
_SPACING_RANGE_MM = (0.05, 20.0)
_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])
_MILLIMETRE_OR_UNSAID = (0, 2)

Affine = NDArray[np.float64]
Header = Any  # nibabel is untyped


def geometry_of(header: Header, shape: tuple[int, int, int]) -> Geometry:
    """Read the grid from sform or qform and refuse what readers would place differently.

    Parameters
    ----------
    header
        nibabel's header, unchecked.
    shape
        Voxels along (D, H, W).

    Raises
    ------
    CaseError
        If the forms are absent or disagree, axes are not orthogonal, or the spacing is absurd.
    """
    spacing_mm = _spacing(header)
    affine = _affine(header, spacing_mm)
    direction = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    skew = float(np.abs(direction.T @ direction - np.eye(3)).max())
    if skew > _RELATIVE_TOLERANCE:
        raise CaseError(
            Code.GEOMETRY_SHEAR,
            f"axes are not orthogonal (largest cosine between two: {skew:.4g})",
        )
    # Adding zero turns -0.0 into 0.0, which would differ in digests.
    lps_direction = direction * _RAS_TO_LPS[:, np.newaxis] + 0.0
    lps_origin = affine[:3, 3] * _RAS_TO_LPS + 0.0
    x, y, z = (float(s) for s in spacing_mm)
    return Geometry(
        shape=shape,
        spacing_mm=(z, y, x),
        origin_mm=(float(lps_origin[0]), float(lps_origin[1]), float(lps_origin[2])),
        direction=tuple(float(c) for c in lps_direction.ravel()),
    )


def _spacing(header: Header) -> NDArray[np.float64]:
    spacing = header["pixdim"][1:4].astype(np.float64)
    text = " × ".join(f"{s:g}" for s in spacing)
    if not np.isfinite(spacing).all():
        raise CaseError(Code.IMAGE_CORRUPT, f"the spacing is not a number ({text})")
    units = int(header["xyzt_units"]) & 7
    if units not in _MILLIMETRE_OR_UNSAID:
        raise CaseError(
            Code.GEOMETRY_SPACING,
            f"the header gives {text} in {'metres' if units == 1 else 'micrometres'}, "
            "which readers treat differently",
        )
    lowest, highest = _SPACING_RANGE_MM
    if spacing.min() < lowest or spacing.max() > highest:
        raise CaseError(
            Code.GEOMETRY_SPACING, f"a spacing of {text} mm is outside {lowest} to {highest} mm"
        )
    return np.asarray(spacing)


def _affine(header: Header, spacing_mm: NDArray[np.float64]) -> Affine:
    has_sform, has_qform = header["sform_code"] > 0, header["qform_code"] > 0
    if not (has_sform or has_qform):
        raise CaseError(
            Code.GEOMETRY_FORMS, "neither sform nor qform is set: nothing says where voxels lie"
        )
    if not has_sform:
        return _qform(header)
    sform = _finite(header.get_sform(), "sform")
    _require_same_spacing(sform, spacing_mm)
    if has_qform:
        _require_same_forms(sform, _qform(header), spacing_mm)
    return sform


def _finite(affine: Affine, name: str) -> Affine:
    if not np.isfinite(affine).all():
        raise CaseError(Code.IMAGE_CORRUPT, f"the {name} holds numbers that are not finite")
    return affine.astype(np.float64)


def _qform(header: Header) -> Affine:
    read = header.copy()
    # The standard reads every pixdim[0] but a negative one as +1; nibabel refuses 0.
    read["pixdim"][0] = -1.0 if read["pixdim"][0] < 0 else 1.0
    parts = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    _finite(np.array([read[part] for part in parts], np.float64), "qform")
    try:
        return _finite(read.get_qform(), "qform")
    except ValueError as error:
        raise CaseError(Code.GEOMETRY_FORMS, f"the qform is no rotation ({error})") from error


def _require_same_spacing(sform: Affine, spacing_mm: NDArray[np.float64]) -> None:
    lengths = np.linalg.norm(sform[:3, :3], axis=0)
    if np.abs(lengths / spacing_mm - 1).max() > _RELATIVE_TOLERANCE:
        raise CaseError(
            Code.GEOMETRY_FORMS,
            f"pixdim gives {_text(spacing_mm)} mm, the columns of the sform {_text(lengths)} mm",
        )


def _require_same_forms(sform: Affine, qform: Affine, spacing_mm: NDArray[np.float64]) -> None:
    axes = np.abs(sform[:3, :3] - qform[:3, :3]) / spacing_mm
    shift_voxels = np.abs(sform[:3, 3] - qform[:3, 3]).max() / spacing_mm.min()
    if axes.max() > _RELATIVE_TOLERANCE or shift_voxels > _ORIGIN_TOLERANCE_VOXELS:
        raise CaseError(
            Code.GEOMETRY_FORMS,
            f"sform and qform disagree: origins {_text(sform[:3, 3])} and {_text(qform[:3, 3])}, "
            f"axes differ by up to {axes.max():.3g} of a voxel",
        )


def _text(values: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values) + ")"
