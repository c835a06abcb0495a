"""Broken files: each defect is refused by its code before a voxel is used."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.nifti import read_ct
from tests.builders_volumes import (
    content_of,
    cut,
    flip_byte,
    replace_content,
    set_field,
    write_nifti,
)

Header = Any  # nibabel is untyped
HU = np.random.default_rng(1).integers(-900, 900, (9, 20, 30)).astype(np.int16)
NAMES = pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])


def refused(path: Path, *, memory_gib: float = 1) -> CaseError:
    with pytest.raises(CaseError) as caught:
        read_ct(path, memory_gib=memory_gib)
    return caught.value


@NAMES
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.95, 0.9999])
def test_a_cut_file_is_corrupt(tmp_path: Path, name: str, keep: float) -> None:
    path = cut(write_nifti(tmp_path / name, HU), keep=keep)
    assert refused(path).code == Code.IMAGE_CORRUPT


@pytest.mark.parametrize("missing", range(1, 12))
def test_every_byte_of_the_gzip_trailer_is_needed(tmp_path: Path, missing: int) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", HU)
    path.write_bytes(path.read_bytes()[:-missing])
    error = refused(path)
    assert error.code == Code.IMAGE_CORRUPT
    assert "cut" in error.detail


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1))
def test_a_flipped_byte_never_changes_a_voxel_unnoticed(tmp_path: Path, at: float) -> None:
    path = flip_byte(write_nifti(tmp_path / "ct.nii.gz", HU), at=at)
    try:
        found = read_ct(path, memory_gib=1).volume.voxels
    except CaseError as error:
        end = error.code
    else:
        # gzip's own header holds a date and the writer's system: no voxel depends on them
        end = "unchanged" if np.array_equal(found, HU) else "changed"
    assert end in {Code.IMAGE_CORRUPT, "unchanged"}


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8, 1.0])
def test_a_flipped_byte_in_the_stream_is_corrupt(tmp_path: Path, at: float) -> None:
    path = flip_byte(write_nifti(tmp_path / "ct.nii.gz", HU), at=at)
    assert refused(path).code == Code.IMAGE_CORRUPT


def test_a_plain_file_named_gz_is_corrupt(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii", HU).rename(tmp_path / "ct.nii.gz")
    error = refused(path)
    assert error.code == Code.IMAGE_CORRUPT
    assert "not gzip" in error.detail


def test_a_gzip_file_named_nii_is_corrupt(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", HU).rename(tmp_path / "ct.nii")
    assert refused(path).code == Code.IMAGE_CORRUPT


@pytest.mark.parametrize("garbage", [b"\0", b"\x1f", b"garbage", b"\x1f\x8b broken"])
def test_bytes_behind_the_gzip_stream_are_corrupt(tmp_path: Path, garbage: bytes) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", HU)
    path.write_bytes(path.read_bytes() + garbage)
    assert refused(path).code == Code.IMAGE_CORRUPT


@NAMES
def test_more_voxels_than_the_header_says_are_corrupt(tmp_path: Path, name: str) -> None:
    path = write_nifti(tmp_path / name, HU)
    replace_content(path, content_of(path) + b"\0\0")
    error = refused(path)
    assert error.code == Code.IMAGE_CORRUPT
    assert "more bytes" in error.detail


@pytest.mark.parametrize("content", [b"", b"\x5c\x01", b"not a header at all" * 40])
def test_what_is_no_nifti_is_corrupt(tmp_path: Path, content: bytes) -> None:
    for name in ("ct.nii", "ct.nii.gz"):
        replace_content(tmp_path / name, content)
        assert refused(tmp_path / name).code == Code.IMAGE_CORRUPT


def test_another_format_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "ct.mha"
    path.write_bytes(b"ObjectType = Image")
    assert ".nii" in refused(path).detail


def everything(name: str, *values: object) -> Callable[[Header], None]:
    def edit(header: Header) -> None:
        for place, value in enumerate(values):
            header.structarr[name][place] = value

    return edit


LIES = {
    "huge dimensions": (
        everything("dim", 3, 32767, 32767, 32767),
        Code.IMAGE_TOO_LARGE,
        "32767 × 32767 × 32767",
    ),
    "no dimensions": (everything("dim", 0), Code.IMAGE_CORRUPT, "0 dimensions"),
    "nine dimensions": (everything("dim", 9), Code.IMAGE_CORRUPT, ""),
    "an empty axis": (everything("dim", 3, 30, 0, 9), Code.IMAGE_SHAPE, "30 × 0 × 9"),
    "a negative axis": (everything("dim", 3, 30, -20, 9), Code.IMAGE_SHAPE, "-20"),
    "a slice": (everything("dim", 2, 30, 180), Code.IMAGE_SHAPE, "2 dimensions"),
    "frames": (everything("dim", 4, 30, 20, 3, 3), Code.IMAGE_SHAPE, "30 × 20 × 3 × 3"),
    "one slice more": (everything("dim", 3, 30, 20, 10), Code.IMAGE_CORRUPT, "missing"),
    "one slice less": (everything("dim", 3, 30, 20, 8), Code.IMAGE_CORRUPT, "more bytes"),
    "voxels behind the end": (set_field("vox_offset", 1e9), Code.IMAGE_CORRUPT, "cut"),
    "voxels in the header": (set_field("vox_offset", 16), Code.IMAGE_CORRUPT, "byte 16"),
    "voxels nowhere": (set_field("vox_offset", np.nan), Code.IMAGE_CORRUPT, "nan"),
    "an unknown voxel type": (set_field("datatype", 77), Code.IMAGE_CORRUPT, "77"),
    "complex voxels": (set_field("datatype", 32), Code.IMAGE_SHAPE, "type 32"),
    "colour voxels": (set_field("datatype", 128), Code.IMAGE_SHAPE, "type 128"),
    "an infinite slope": (set_field("scl_slope", np.inf), Code.IMAGE_CORRUPT, "slope inf"),
    "a nan in the sform": (set_field("srow_x", np.nan, at=3), Code.IMAGE_CORRUPT, "sform"),
    "a nan in the qform": (set_field("quatern_b", np.nan), Code.IMAGE_CORRUPT, "qform"),
    "a nan in the spacing": (set_field("pixdim", np.nan, at=2), Code.IMAGE_CORRUPT, "spacing"),
    "two files": (set_field("magic", b"ni1"), Code.IMAGE_CORRUPT, "one-file"),
    "analyze": (set_field("magic", b""), Code.IMAGE_CORRUPT, "Analyze"),
}


@NAMES
@pytest.mark.parametrize("lie", LIES)
def test_a_lying_header_is_refused(tmp_path: Path, name: str, lie: str) -> None:
    edit, code, text = LIES[lie]
    error = refused(write_nifti(tmp_path / name, HU, edit=edit))
    assert error.code == code
    assert text in error.detail


@pytest.mark.parametrize("lie", ["huge dimensions", "voxels behind the end"])
def test_a_lying_header_allocates_nothing(tmp_path: Path, lie: str) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", HU, edit=LIES[lie][0])
    tracemalloc.start()
    try:
        refused(path, memory_gib=64)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2 * 2**20


def test_a_volume_above_the_budget_is_refused_from_its_header_alone(tmp_path: Path) -> None:
    # 1500 slices of 0.5 mm: 512 × 512 × 1500 × (2 stored + 8 + 3) bytes = 4.76 GiB
    path = write_nifti(tmp_path / "ct.nii.gz", HU, edit=everything("dim", 3, 512, 512, 1500))
    with gzip.open(path) as file:
        replace_content(path, file.read(352))
    error = refused(path, memory_gib=4)
    assert error.code == Code.IMAGE_TOO_LARGE
    assert "512 × 512 × 1500 voxels of int16 need 4.8 GiB, the limit is 4.0 GiB" in error.detail
    assert refused(path, memory_gib=5).code == Code.IMAGE_CORRUPT


def test_nifti_2_cannot_overflow_the_estimate(tmp_path: Path) -> None:
    path = write_nifti(
        tmp_path / "ct.nii",
        HU,
        kind=nib.Nifti2Image,
        edit=everything("dim", 3, 2**40, 2**40, 2**40),
    )
    assert refused(path, memory_gib=64).code == Code.IMAGE_TOO_LARGE


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_voxels_that_are_not_finite_are_counted(tmp_path: Path, value: float, kind: type) -> None:
    voxels = HU.astype(kind)
    voxels[4, 5, 6] = voxels[8, 0, 0] = value
    error = refused(write_nifti(tmp_path / "ct.nii.gz", voxels))
    assert error.code == Code.IMAGE_NONFINITE
    assert error.detail == "2 voxels are not finite, the first at (D, H, W) = (4, 5, 6)"
