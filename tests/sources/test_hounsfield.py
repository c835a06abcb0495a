"""Clipping to the CT range, and numbers that do not look like HU."""

import numpy as np
import pytest

from hnmets.sources.hounsfield import to_hounsfield
from tests.builders_volumes import neck


def convert(stored: np.ndarray, *, slope: float = 1.0, intercept: float = 0.0):  # noqa: ANN201  # a pair of the function under test
    return to_hounsfield(stored, slope=slope, intercept=intercept)


def suspicion(hu: np.ndarray) -> str:
    return str(convert(hu)[1].get("hu_suspect", ""))


def whole_scan() -> np.ndarray:
    return neck((24, 128, 128)).voxels.astype(np.int32)


def cropped_scan() -> np.ndarray:
    return whole_scan()[4:16, 66:96, 76:96]  # muscle, vertebra and fat, no air at all


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64, np.int64])
def test_values_outside_the_ct_range_are_clipped_and_counted(kind: type) -> None:
    stored = np.zeros((10, 10, 10), kind)
    stored[0, 0, :4] = [-1025, -1024, 3071, 3072]
    stored[1, 0, 0] = 30_000
    hu, flags = convert(stored)
    assert hu.dtype == np.int16
    assert hu[0, 0, :4].tolist() == [-1024, -1024, 3071, 3071]
    assert flags["share_clipped_hu"] == pytest.approx(3 / 1000)


def test_fractions_are_clipped_as_fractions() -> None:
    stored = np.full((4, 4, 4), 10.5)
    stored[0, 0, 0] = 4000.5
    hu, flags = convert(stored)
    assert hu.dtype == np.float64
    assert (hu.min(), hu.max()) == (10.5, 3071)
    assert flags["share_clipped_hu"] == pytest.approx(1 / 64)


def test_nothing_clipped_leaves_no_flag() -> None:
    hu = np.full((4, 4, 4), 40, np.int16)
    hu[0] = -100  # fat, without which numbers are no CT
    assert convert(hu)[1] == {}


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16])
def test_narrow_and_unsigned_types_are_widened(kind: type) -> None:
    hu, _ = convert(np.full((2, 2, 2), 100, kind))
    assert hu.dtype == np.int16
    assert (hu == 100).all()


def test_a_fraction_in_the_last_slab_keeps_the_whole_volume() -> None:
    # the first slabs look whole: what was converted before must be converted again
    stored = np.arange(40 * 200 * 200, dtype=np.float64).reshape(40, 200, 200) % 1000
    stored[-1, -1, -1] = 0.5
    hu, _ = convert(stored)
    np.testing.assert_array_equal(hu, stored)


def test_a_whole_scan_and_a_crop_of_soft_tissue_are_not_suspect() -> None:
    assert suspicion(whole_scan()) == ""
    assert suspicion(cropped_scan()) == ""


def test_air_and_fat_alone_around_little_tissue_are_not_suspect() -> None:
    assert suspicion(neck((10, 300, 300)).voxels) == ""


@pytest.mark.parametrize("scan", [whole_scan, cropped_scan])
@pytest.mark.parametrize("shift", [1024, -1024])
def test_an_intercept_missing_or_applied_twice_is_suspect(scan, shift: int) -> None:  # noqa: ANN001  # one of two functions above
    assert suspicion(scan() + shift)


def test_an_intercept_applied_twice_shows_even_where_a_converter_clipped() -> None:
    assert "soft tissue" in suspicion(np.maximum(whole_scan() - 1024, -1024))


def test_hu_stored_without_a_sign_are_suspect() -> None:
    wrapped = whole_scan().astype(np.int16).view(np.uint16)
    assert "without a sign" in suspicion(wrapped)


def test_padding_below_air_is_named() -> None:
    padded = whole_scan()
    padded[:, :8] = -3000
    assert "padding" in suspicion(padded)


def test_a_wrong_slope_shows_in_the_air() -> None:
    assert "air at the border" in suspicion((whole_scan() * 0.5).astype(np.int16))


def test_metal_is_clipped_but_not_suspect() -> None:
    metal = whole_scan()
    metal[10, 60:64, 60:64] = 30_000
    hu, flags = convert(metal)
    assert hu.max() == 3071
    assert "hu_suspect" not in flags


def test_a_picture_of_grey_levels_from_0_to_255_is_suspect() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (8, 20, 20)).astype(np.uint8)
    assert "not HU?" in str(convert(grey)[1]["hu_suspect"])
