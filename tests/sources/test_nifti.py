"""Reading sound NIfTI files: the same voxels at the same places as other readers see."""

import gzip
import hashlib
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # its documented short name

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.nifti import read_ct, read_mask
from tests.builders_volumes import (
    affine_ras,
    content_of,
    rewrite_header,
    set_field,
    write_nifti,
)

SHAPE = (5, 6, 7)


def some_hu(shape: tuple[int, ...] = SHAPE, dtype: type = np.int16) -> np.ndarray:
    return np.random.default_rng(0).integers(-900, 900, shape).astype(dtype)


def assert_equals_simpleitk(path: Path) -> None:
    read, itk = read_ct(path, memory_gib=1).volume, sitk.ReadImage(str(path))
    expected = np.clip(sitk.GetArrayFromImage(itk), -1024, 3071)
    np.testing.assert_array_equal(read.voxels, expected)
    np.testing.assert_allclose(read.geometry.spacing_mm[::-1], itk.GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(read.geometry.origin_mm, itk.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(read.geometry.direction, itk.GetDirection(), atol=2e-6)


def rotation(degrees: float, axis: tuple[float, float, float]) -> np.ndarray:
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1)], ids=["sform", "qform", "both"])
@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_an_axial_volume_equals_what_simpleitk_reads(
    tmp_path: Path, name: str, codes: tuple[int, int]
) -> None:
    path = write_nifti(
        tmp_path / name,
        some_hu(),
        spacing_mm=(3.27, 0.9765625, 0.9),
        origin_mm=(-250.1, 31.7, -1204.3),
        sform_code=codes[0],
        qform_code=codes[1],
    )
    assert_equals_simpleitk(path)


@pytest.mark.parametrize("code", ["RAS", "LPI", "SRP", "ILA", "PSR", "AIL"])
def test_a_volume_in_another_orientation_equals_what_simpleitk_reads(
    tmp_path: Path, code: str
) -> None:
    affine = nib.orientations.inv_ornt_aff(
        nib.orientations.axcodes2ornt(tuple(code)), SHAPE[::-1]
    ) @ np.diag([0.7, 0.8, 2.5, 1])
    affine[:3, 3] = [12.5, -80.25, 400]
    assert_equals_simpleitk(write_nifti(tmp_path / "ct.nii", some_hu(), affine=affine))


@pytest.mark.parametrize("codes", [(1, 0), (0, 1)], ids=["sform", "qform"])
def test_an_oblique_volume_equals_what_simpleitk_reads(
    tmp_path: Path, codes: tuple[int, int]
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = rotation(23, (1, 2, 3)) * [0.7, 0.8, 2.5]
    path = write_nifti(
        tmp_path / "ct.nii", some_hu(), affine=affine, sform_code=codes[0], qform_code=codes[1]
    )
    assert_equals_simpleitk(path)


def test_the_first_voxel_of_a_ras_file_lies_where_its_affine_says(tmp_path: Path) -> None:
    # RAS (10, 20, 30) is LPS (-10, -20, 30); the file's x axis runs to the right.
    affine = np.array([[2.0, 0, 0, 10], [0, 3, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]])
    geometry = read_ct(
        write_nifti(tmp_path / "ct.nii", some_hu(), affine=affine), memory_gib=1
    ).volume.geometry
    assert geometry.origin_mm == (-10, -20, 30)
    assert geometry.spacing_mm == (4, 3, 2)
    assert geometry.direction == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    np.testing.assert_allclose(affine_ras(geometry), affine)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_every_plain_voxel_type_and_byte_order_gives_the_same_hu(
    tmp_path: Path, kind: str, order: str
) -> None:
    hu = some_hu() % 200
    image = nib.Nifti1Image(hu.T.astype(kind), np.eye(4), dtype=kind).as_reoriented(
        np.array([[0, 1], [1, 1], [2, 1]])
    )
    swapped = nib.Nifti1Image(
        image.dataobj, np.eye(4), nib.Nifti1Header(endianness=order), dtype=kind
    )
    nib.save(swapped, tmp_path / "ct.nii")
    voxels = read_ct(tmp_path / "ct.nii", memory_gib=1).volume.voxels
    assert voxels.dtype == np.int16
    np.testing.assert_array_equal(voxels, hu)


def test_nifti_2_reads_as_nifti_1(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", some_hu(), kind=nib.Nifti2Image)
    np.testing.assert_array_equal(read_ct(path, memory_gib=1).volume.voxels, some_hu())


def test_header_extensions_are_passed_over(tmp_path: Path) -> None:
    image = nib.Nifti1Image(some_hu().T, np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 5000))
    nib.save(image, tmp_path / "ct.nii.gz")
    read = read_ct(tmp_path / "ct.nii.gz", memory_gib=1)
    np.testing.assert_array_equal(read.volume.voxels, some_hu())


def test_whole_numbers_become_int16_and_fractions_stay_float64(tmp_path: Path) -> None:
    whole = write_nifti(tmp_path / "a.nii", some_hu(dtype=np.float32))
    assert read_ct(whole, memory_gib=1).volume.voxels.dtype == np.int16
    hu = some_hu(dtype=np.float32)
    hu[-1, -1, -1] += 0.25
    fraction = read_ct(write_nifti(tmp_path / "b.nii", hu), memory_gib=1).volume.voxels
    assert fraction.dtype == np.float64
    np.testing.assert_array_equal(fraction, hu)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1024.0), (2.0, 10.0), (0.5, 0.25)])
def test_slope_and_intercept_are_applied(tmp_path: Path, slope: float, intercept: float) -> None:
    stored = np.arange(210, dtype=np.uint16).reshape(SHAPE) + 900
    path = write_nifti(tmp_path / "ct.nii", stored)
    rewrite_header(path, set_field("scl_slope", slope))
    rewrite_header(path, set_field("scl_inter", intercept))
    read = read_ct(path, memory_gib=1).volume.voxels
    np.testing.assert_array_equal(read, stored * slope + intercept)
    assert read.dtype == (np.float64 if slope == 0.5 else np.int16)


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_a_slope_of_zero_or_nan_means_not_scaled(tmp_path: Path, slope: float) -> None:
    path = write_nifti(tmp_path / "ct.nii", some_hu(), edit=set_field("scl_slope", slope))
    rewrite_header(path, set_field("scl_inter", 77.0))
    np.testing.assert_array_equal(read_ct(path, memory_gib=1).volume.voxels, some_hu())


def test_a_4d_file_of_one_frame_is_read_and_flagged(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", some_hu((1, *SHAPE)))
    read = read_ct(path, memory_gib=1)
    assert read.volume.voxels.shape == SHAPE
    assert read.flags["stored_dimensions"] == 4


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", some_hu((40, 120, 120)))
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_ct(path, memory_gib=1).digest == expected


def test_a_stream_of_many_gzip_members_reads_as_one(tmp_path: Path) -> None:
    # bgzip cuts into blocks and ends with an empty one.
    path = write_nifti(tmp_path / "ct.nii.gz", some_hu())
    content = content_of(path)
    members = (content[:100], content[100:351], content[351:], b"")
    path.write_bytes(b"".join(gzip.compress(member) for member in members))
    np.testing.assert_array_equal(read_ct(path, memory_gib=1).volume.voxels, some_hu())


@pytest.mark.parametrize(
    "name", ["ct é 日本.nii.gz", "a b  c.nii", "CT.NII.GZ", "ct.nii", "x" * 240 + ".nii.gz"]
)
def test_unusual_file_names_are_read(tmp_path: Path, name: str) -> None:
    plain = write_nifti(tmp_path / f"plain{'.nii.gz' if name[-1] in 'zZ' else '.nii'}", some_hu())
    path = plain.rename(tmp_path / name)
    np.testing.assert_array_equal(read_ct(path, memory_gib=1).volume.voxels, some_hu())


def test_names_that_differ_in_case_alone_are_two_files(tmp_path: Path) -> None:
    lower = write_nifti(tmp_path / "ct.nii", some_hu())
    upper = write_nifti(tmp_path / "CT.nii", some_hu() + 1)
    if lower.samefile(upper):
        pytest.skip("this file system does not tell them apart")
    assert read_ct(lower, memory_gib=1).digest != read_ct(upper, memory_gib=1).digest


def test_what_cannot_be_opened_is_missing_with_the_reason(tmp_path: Path) -> None:
    loop = tmp_path / "loop.nii"
    loop.symlink_to(loop)
    (tmp_path / "folder.nii").mkdir()
    names = ["none.nii", "loop.nii", "folder.nii", "x" * 300 + ".nii", "nul\0.nii"]
    for name in names:
        with pytest.raises(CaseError) as caught:
            read_ct(tmp_path / name, memory_gib=1)
        assert caught.value.code == Code.IMAGE_MISSING
        assert "x" * 300 not in caught.value.detail


class TestMask:
    @pytest.mark.parametrize("label", [255, 2, 1])
    def test_labels_keep_their_number(self, tmp_path: Path, label: int) -> None:
        stored = np.zeros(SHAPE, np.uint8)
        stored[2, 3, 4] = label
        voxels = read_mask(write_nifti(tmp_path / "m.nii.gz", stored), memory_gib=1).volume.voxels
        assert voxels.dtype == np.uint8
        np.testing.assert_array_equal(voxels, stored)

    @pytest.mark.parametrize("kind", ["i2", "i8", "f4"])
    def test_negative_labels_are_kept(self, tmp_path: Path, kind: str) -> None:
        stored = np.zeros(SHAPE, kind)
        stored[2, 3, 4] = -1
        image = nib.Nifti1Image(stored.T, np.eye(4), dtype=kind)
        nib.save(image, tmp_path / "m.nii")
        voxels = read_mask(tmp_path / "m.nii", memory_gib=1).volume.voxels
        np.testing.assert_array_equal(np.unique(voxels), [-1, 0])

    def test_almost_whole_labels_are_rounded(self, tmp_path: Path) -> None:
        stored = np.zeros(SHAPE, np.float32)
        stored[2, 3, 4] = 0.9999
        voxels = read_mask(write_nifti(tmp_path / "m.nii", stored), memory_gib=1).volume.voxels
        assert np.issubdtype(voxels.dtype, np.integer)
        assert voxels[2, 3, 4] == 1
        assert voxels.sum() == 1

    @pytest.mark.parametrize("value", [0.5, 1.01, 3e9])
    def test_a_value_that_is_no_label_is_named(self, tmp_path: Path, value: float) -> None:
        stored = np.zeros(SHAPE, np.float64)
        stored[2, 3, 4] = value
        with pytest.raises(CaseError, match=re.escape(f"{value:g}")) as caught:
            read_mask(write_nifti(tmp_path / "m.nii", stored), memory_gib=1)
        assert caught.value.code == Code.MASK_VALUES
        assert "nearest neighbour" in caught.value.__notes__[0]

    def test_a_mask_with_nan_is_refused(self, tmp_path: Path) -> None:
        stored = np.zeros(SHAPE, np.float32)
        stored[2, 3, 4] = np.nan
        with pytest.raises(CaseError, match=r"first at .* = \(2, 3, 4\)") as caught:
            read_mask(write_nifti(tmp_path / "m.nii", stored), memory_gib=1)
        assert caught.value.code == Code.IMAGE_NONFINITE


@pytest.mark.real_data
class TestRealFiles:
    def test_sarcoma_volumes_equal_what_simpleitk_reads(self, real_data: Path) -> None:
        paths = sorted((real_data / "sts" / "nifti").glob("*_image.nii.gz"))
        assert len(paths) == 15
        for path in paths:
            assert_equals_simpleitk(path)

    def test_sarcoma_volumes_are_whole_hu_and_not_suspect(self, real_data: Path) -> None:
        # cropped 5 cm around the tumour: many have soft tissue at every border
        for path in sorted((real_data / "sts" / "nifti").glob("*_image.nii.gz")):
            read = read_ct(path, memory_gib=1)
            assert read.volume.voxels.dtype == np.int16
            assert read.flags == {}

    def test_a_ras_volume_with_organ_labels_equals_what_simpleitk_reads(
        self, real_data: Path
    ) -> None:
        assert_equals_simpleitk(real_data / "organs_ct" / "example_ct_sm.nii.gz")
        path = real_data / "organs_ct" / "example_seg.nii.gz"
        expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        np.testing.assert_array_equal(read_mask(path, memory_gib=1).volume.voxels, expected)
