"""Slices by position: order, spacing, gaps, twins, tilt."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.dicom.plane import Plane
from hnmets.sources.dicom.stack import stack

Vector = tuple[float, float, float]


def planes(distances: list[float], *, tilt_mm: float = 0.0) -> list[Plane]:
    return [
        Plane(
            position_mm=(-100.0, -80.0 + tilt_mm * number, distance),
            along_row=(1.0, 0.0, 0.0),
            along_column=(0.0, 1.0, 0.0),
            spacing_mm=(2.0, 1.0),
            shape=(4, 5),
        )
        for number, distance in enumerate(distances)
    ]


def even(count: int = 10, step: float = 3.0) -> list[float]:
    return [step * number for number in range(count)]


def refused(distances: list[float], **kind: float) -> CaseError:
    with pytest.raises(CaseError) as caught:
        stack(planes(distances, **kind))
    return caught.value


@given(st.permutations(range(8)))
def test_order_follows_from_positions_whatever_order_the_files_have(order: list[int]) -> None:
    found = stack([planes(even(8))[place] for place in order])
    assert [order[place] for place in found.order] == list(range(8))
    assert found.geometry.spacing_mm == (3.0, 2.0, 1.0)
    assert found.geometry.origin_mm == (-100.0, -80.0, 0.0)


def test_dicoms_row_spacing_is_the_distance_of_rows() -> None:
    # PixelSpacing is (between rows, between columns): 2 mm along H, 1 mm along W.
    assert stack(planes(even())).geometry.spacing_mm[1:] == (2.0, 1.0)


def test_a_missing_slice_is_named_by_its_neighbours() -> None:
    uneven = stack(planes([d for d in even(20) if d not in {15.0, 18.0}])).uneven
    assert uneven is not None
    assert uneven.code is Code.GEOMETRY_GAP
    assert uneven.detail == "2 slices are missing between 12.0 and 21.0 mm, 3 mm apart"


def test_mixed_spacing_is_no_gap() -> None:
    uneven = stack(planes([0, 3, 6, 9, 15, 21, 27, 33])).uneven
    assert uneven is not None
    assert uneven.code is Code.GEOMETRY_SPACING
    assert "3 to 6 mm apart" in uneven.detail


@pytest.mark.parametrize(("part", "alarm"), [(1e-6, False), (1e-3, False), (1e-2, True)])
def test_rounded_positions_raise_no_alarm_and_wandering_ones_do(part: float, alarm: bool) -> None:
    distances = even(20)
    distances[7] += part * 3.0
    assert (stack(planes(distances)).uneven is not None) is alarm


def test_a_rounding_worth_knowing_is_flagged() -> None:
    distances = even(20)
    distances[7] += 0.003
    assert stack(planes(distances)).flags["spacing_jitter"] == pytest.approx(0.001, rel=0.01)
    assert not stack(planes(even(20))).flags


def test_two_images_on_one_position_are_twins() -> None:
    found = stack([*planes(even(5)), planes(even(5))[2]])
    assert found.twins == ((2, 5),)
    assert found.geometry.shape == (5, 4, 5)
    assert found.uneven is None


@pytest.mark.parametrize("degrees", [15.0, 1.0, -8.0])
def test_tilt_comes_from_positions_and_has_its_angle(degrees: float) -> None:
    shift = 3.0 * np.tan(np.radians(degrees))
    error = refused(even(), tilt_mm=float(shift))
    assert error.code is Code.GEOMETRY_SHEAR
    assert f"{abs(degrees):.1f} degrees" in error.detail


def test_one_shifted_slice_is_no_tilt_and_is_refused() -> None:
    moved = planes(even())
    moved[4] = replace(moved[4], position_mm=(-97.0, -80.0, 12.0))
    with pytest.raises(CaseError, match=r"E_GEOM_SHEAR.*by up to 3 mm"):
        stack(moved)


def test_a_rotation_of_the_whole_patient_is_no_tilt() -> None:
    angle = np.radians(20)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )

    def turned(vector: Vector) -> Vector:
        x, y, z = (float(v) for v in turn @ vector)
        return x, y, z

    rotated = [
        replace(
            plane,
            position_mm=turned(plane.position_mm),
            along_row=turned(plane.along_row),
            along_column=turned(plane.along_column),
        )
        for plane in planes(even())
    ]
    found = stack(rotated)
    assert found.geometry.spacing_mm[0] == pytest.approx(3.0)
    np.testing.assert_allclose(np.reshape(found.geometry.direction, (3, 3)), turn, atol=1e-12)


def numbered(*acquisitions: int | None) -> list[Plane]:
    flat = planes(even(len(acquisitions)))
    return [replace(p, acquisition=n) for p, n in zip(flat, acquisitions, strict=True)]


def test_two_acquisitions_that_alternate_are_no_finer_one() -> None:
    with pytest.raises(CaseError, match=r"E_GEOM_MIXED.*slices of 2 acquisitions alternate"):
        stack(numbered(1, 2, 1, 2, 1, 2))


@pytest.mark.parametrize(
    "acquisitions", [(1, 1, 1, 1), (1, 1, 2, 2), (1, 2, 3, 4), (None, None, None, None)]
)
def test_acquisitions_that_follow_each_other_are_a_stack(acquisitions: tuple[int, ...]) -> None:
    assert stack(numbered(*acquisitions)).uneven is None


def test_images_of_two_sizes_are_no_stack() -> None:
    mixed = [*planes(even()), replace(planes(even())[0], shape=(9, 9), position_mm=(0, 0, 99))]
    with pytest.raises(CaseError, match=r"E_GEOM_MIXED.*4 × 5, 9 × 9"):
        stack(mixed)


def test_a_localiser_between_slices_is_no_slice() -> None:
    scout = replace(planes(even())[0], along_column=(0.0, 0.0, -1.0))
    with pytest.raises(CaseError, match=r"E_GEOM_MIXED.*1 of 11 images are turned"):
        stack([*planes(even()), scout])


def test_a_single_image_is_as_thick_as_its_header_says() -> None:
    assert stack(planes([7.0]), thickness_mm=5.0).geometry.spacing_mm[0] == 5.0
    with pytest.raises(CaseError, match="nothing says how thick"):
        stack(planes([7.0]))


@given(
    step=st.floats(0.5, 5),
    count=st.integers(3, 300),
    start=st.floats(-2000, 2000),
    decimals=st.integers(3, 6),
)
def test_positions_written_with_three_decimals_are_regular(
    step: float, count: int, start: float, decimals: int
) -> None:
    distances = [round(start + step * number, decimals) for number in range(count)]
    found = stack(planes(distances))
    assert found.uneven is None
    assert found.geometry.spacing_mm[0] == pytest.approx(step, rel=1e-3)
