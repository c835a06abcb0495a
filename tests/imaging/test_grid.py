"""A mask that differs from its image by rounding is snapped, any other is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry, Volume
from hnmets.imaging.grid import snap

IMAGE = Geometry(shape=(8, 9, 10), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(-250.0, 30.0, -800.0))


def mask(geometry: Geometry) -> Volume:
    return Volume(voxels=np.ones(geometry.shape, np.uint8), geometry=geometry)


def shifted(mm: float) -> Geometry:
    return replace(IMAGE, origin_mm=(-250.0 + mm, 30.0, -800.0))


def mismatch(geometry: Geometry) -> str:
    with pytest.raises(CaseError) as caught:
        snap(mask(geometry), IMAGE)
    assert caught.value.code == Code.GEOMETRY_MISMATCH
    return caught.value.detail


def test_an_equal_grid_leaves_no_flag() -> None:
    labelmap = mask(IMAGE)
    assert snap(labelmap, IMAGE) == (labelmap, {})


@pytest.mark.parametrize("shift_mm", [1e-9, 5e-6, 9e-4])
def test_a_shift_below_a_thousandth_of_a_voxel_is_snapped_and_flagged(shift_mm: float) -> None:
    snapped, flags = snap(mask(shifted(shift_mm)), IMAGE)
    assert snapped.geometry == IMAGE
    assert flags == {"geometry_snapped": True}


@pytest.mark.parametrize("shift_mm", [1.1e-3, 0.3, 20.0])
def test_a_larger_shift_is_refused_with_both_headers(shift_mm: float) -> None:
    detail = mismatch(shifted(shift_mm))
    assert "differ in origin" in detail
    assert "image size 10 × 9 × 8, spacing 1 × 1 × 3 mm, origin (-250, 30, -800)" in detail
    assert f"| mask size 10 × 9 × 8, spacing 1 × 1 × 3 mm, origin ({-250 + shift_mm:.6g}" in detail
    assert detail.count("direction (1, 0, 0, 0, 1, 0, 0, 0, 1)") == 2


def test_a_mask_with_one_slice_less_differs_in_size() -> None:
    detail = mismatch(replace(IMAGE, shape=(7, 9, 10)))
    assert "differ in size" in detail
    assert "size 10 × 9 × 8" in detail
    assert "size 10 × 9 × 7" in detail


def test_a_spacing_error_counts_where_it_adds_up_most() -> None:
    # the last of 9 steps along x: 9 × 5e-5 = 4.5e-4 voxels; 9 × 2e-4 = 1.8e-3
    snap(mask(replace(IMAGE, spacing_mm=(3.0, 1.0, 1.00005))), IMAGE)
    assert "spacing" in mismatch(replace(IMAGE, spacing_mm=(3.0, 1.0, 1.0002)))


def test_a_turned_mask_is_refused() -> None:
    turned = replace(IMAGE, direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1))
    assert "differ in direction" in mismatch(turned)
