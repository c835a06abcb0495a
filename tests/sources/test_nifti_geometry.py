"""Headers that place voxels twice, nowhere or absurdly; tolerances on both sides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry
from hnmets.sources.nifti import read_ct
from tests.builders_volumes import rewrite_header, set_field, write_nifti

Header = Any  # nibabel is untyped
HU = np.zeros((4, 5, 6), np.int16)


def geometry(path: Path) -> Geometry:
    return read_ct(path, memory_gib=1).volume.geometry


def refused(path: Path) -> CaseError:
    with pytest.raises(CaseError) as caught:
        read_ct(path, memory_gib=1)
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_nifti(
        tmp_path / "ct.nii.gz", HU, spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-250.0, 30.0, -800.0)
    )


def test_a_volume_without_any_form_is_refused(path: Path) -> None:
    rewrite_header(path, set_field("sform_code", 0))
    rewrite_header(path, set_field("qform_code", 0))
    error = refused(path)
    assert error.code == Code.GEOMETRY_FORMS
    assert "neither" in error.detail


@pytest.mark.parametrize("jitter", [0.0, 1e-6, 5e-5])
def test_forms_that_differ_by_rounding_are_one(path: Path, jitter: float) -> None:
    rewrite_header(path, set_field("srow_x", -1.0 - jitter, at=0))
    assert geometry(path).shape == (4, 5, 6)


@pytest.mark.parametrize("jitter", [2e-4, 1e-2])
def test_forms_that_differ_in_an_axis_are_refused(path: Path, jitter: float) -> None:
    rewrite_header(path, set_field("srow_x", -1.0 - jitter, at=0))
    assert refused(path).code == Code.GEOMETRY_FORMS


@pytest.mark.parametrize(("shift_mm", "is_fine"), [(0.0005, True), (0.002, False), (20.0, False)])
def test_forms_may_differ_by_a_thousandth_of_a_voxel_in_the_origin(
    path: Path, shift_mm: float, is_fine: bool
) -> None:
    rewrite_header(path, set_field("qoffset_y", -30.0 + shift_mm))
    if is_fine:
        assert geometry(path).origin_mm == (-250, 30, -800)
    else:
        error = refused(path)
        assert error.code == Code.GEOMETRY_FORMS
        assert "origins" in error.detail


def test_forms_that_flip_an_axis_are_refused(path: Path) -> None:
    rewrite_header(path, set_field("pixdim", -1.0, at=0))  # qfac: z runs down
    assert refused(path).code == Code.GEOMETRY_FORMS


def test_a_qfac_of_zero_means_one(path: Path) -> None:
    before = geometry(path)
    rewrite_header(path, set_field("sform_code", 0))
    rewrite_header(path, set_field("pixdim", 0.0, at=0))
    assert geometry(path) == before


def test_a_qform_that_is_no_rotation_is_refused(path: Path) -> None:
    rewrite_header(path, set_field("sform_code", 0))
    rewrite_header(path, set_field("quatern_b", 0.9))
    rewrite_header(path, set_field("quatern_c", 0.9))
    error = refused(path)
    assert error.code == Code.GEOMETRY_FORMS
    assert "rotation" in error.detail


@pytest.mark.parametrize(("jitter", "is_fine"), [(1e-6, True), (5e-5, True), (3e-4, False)])
def test_pixdim_and_sform_must_give_one_spacing(path: Path, jitter: float, is_fine: bool) -> None:
    # ITK takes the spacing from pixdim, nibabel from the sform
    rewrite_header(path, set_field("qform_code", 0))
    rewrite_header(path, set_field("pixdim", 3.0 * (1 + jitter), at=3))
    if is_fine:
        assert geometry(path).spacing_mm == pytest.approx((3, 1, 1), rel=1e-4)
    else:
        error = refused(path)
        assert error.code == Code.GEOMETRY_FORMS
        assert "pixdim" in error.detail


@pytest.mark.parametrize(
    ("tilt", "is_fine"), [(1e-6, True), (5e-5, True), (3e-4, False), (0.27, False)]
)
def test_a_sheared_volume_is_refused(tmp_path: Path, tilt: float, is_fine: bool) -> None:
    # a tilted gantry: slices shift along y as z grows; 0.27 is 15 degrees
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    affine[:3, 2] = 3 * np.array([0, tilt, 1]) / np.hypot(1, tilt)
    path = write_nifti(tmp_path / "ct.nii", HU, affine=affine, qform_code=0)
    if is_fine:
        assert geometry(path).shape == (4, 5, 6)
    else:
        assert refused(path).code == Code.GEOMETRY_SHEAR


@pytest.mark.parametrize(
    ("spacing_mm", "is_fine"),
    [(0.04, False), (0.051, True), (19.9, True), (20.1, False), (0.0, False), (-1.0, False)],
)
def test_a_spacing_must_be_positive_and_plausible(
    path: Path, spacing_mm: float, is_fine: bool
) -> None:
    def edit(header: Header) -> None:
        header.structarr["sform_code"] = 0
        header.structarr["pixdim"][3] = spacing_mm

    rewrite_header(path, edit)
    if is_fine:
        assert geometry(path).spacing_mm[0] == pytest.approx(spacing_mm)
    else:
        error = refused(path)
        assert error.code == Code.GEOMETRY_SPACING
        assert f"{spacing_mm:g}" in error.detail


@pytest.mark.parametrize(("units", "word"), [(1, "metres"), (3, "micrometres")])
def test_a_unit_that_readers_treat_differently_is_refused(
    path: Path, units: int, word: str
) -> None:
    rewrite_header(path, set_field("xyzt_units", units))
    error = refused(path)
    assert error.code == Code.GEOMETRY_SPACING
    assert word in error.detail


def test_a_time_unit_does_not_matter(path: Path) -> None:
    rewrite_header(path, set_field("xyzt_units", 2 | 8))  # mm and seconds
    assert geometry(path).spacing_mm == (3, 1, 1)
