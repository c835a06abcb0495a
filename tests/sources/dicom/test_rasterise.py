"""Polygons to voxels: areas, holes, keyholes, real slice positions, what lies outside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError
from hnmets.domain.geometry import Geometry
from hnmets.sources.dicom.rasterise import Rasterised, rasterise

Polygon = NDArray[np.float64]
GRID = Geometry(shape=(10, 100, 120), spacing_mm=(3.0, 1.0, 1.0))
EVEN = np.arange(10) * 3.0


def ring_of(
    radius: float, *, z: float = 9.0, middle: tuple[float, float] = (60.3, 50.7)
) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    x, y = middle
    return np.column_stack(
        [x + radius * np.cos(angles), y + radius * np.sin(angles), np.full(720, z)]
    )


def square(low: float, high: float, *, z: float = 9.0) -> Polygon:
    corners = [(low, low), (high, low), (high, high), (low, high)]
    return np.array([(x, y, z) for x, y in corners])


def drawn(*polygons: Polygon, grid: Geometry = GRID, at: Polygon = EVEN) -> Rasterised:
    return rasterise(polygons, grid, at)


def test_a_square_holds_the_voxels_whose_centres_lie_inside() -> None:
    found = drawn(square(9.5, 19.5))
    expected = np.zeros(GRID.shape, bool)
    expected[3, 10:20, 10:20] = True
    np.testing.assert_array_equal(found.mask, expected)
    assert (found.share_lost, found.off_plane, found.undrawn_slices) == (0.0, 0, 0)


def test_squares_that_share_a_border_share_no_voxel_and_leave_none_out() -> None:
    # Borders run through voxel centres: each belongs to exactly one side.
    left = np.array([(10, 10, 9), (20, 10, 9), (20, 30, 9), (10, 30, 9)], float)
    right = np.array([(20, 10, 9), (30, 10, 9), (30, 30, 9), (20, 30, 9)], float)
    both = np.array([(10, 10, 9), (30, 10, 9), (30, 30, 9), (10, 30, 9)], float)
    one, two = drawn(left).mask, drawn(right).mask
    assert not (one & two).any()
    np.testing.assert_array_equal(one | two, drawn(both).mask)
    assert one.sum() == 10 * 20


def test_a_disc_has_its_area() -> None:
    assert drawn(ring_of(30)).mask.sum() == pytest.approx(np.pi * 900, rel=0.003)


def test_a_contour_inside_another_is_a_hole() -> None:
    area = drawn(ring_of(30), ring_of(18)).mask.sum()
    assert area == pytest.approx(np.pi * (900 - 324), rel=0.01)
    assert not drawn(ring_of(30), ring_of(18)).mask[3, 51, 60]


def test_a_keyhole_is_the_same_ring_as_a_hole() -> None:
    outer, inner = ring_of(30), ring_of(18)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, inner[:1], outer[:1]])
    difference = drawn(keyhole).mask ^ drawn(outer, inner).mask
    assert difference.sum() <= 1


def test_two_discs_on_a_slice_add_up() -> None:
    pair = drawn(ring_of(10, middle=(30.2, 30.4)), ring_of(10, middle=(80.1, 60.6))).mask
    assert pair.sum() == pytest.approx(2 * np.pi * 100, rel=0.02)


def test_a_circle_stays_a_circle_where_pixels_are_no_squares() -> None:
    oblong = Geometry(shape=(10, 100, 60), spacing_mm=(3.0, 1.0, 2.0))
    inside = np.argwhere(drawn(ring_of(30), grid=oblong).mask)
    extent_mm = (np.ptp(inside, axis=0)[1:] + 1) * (1.0, 2.0)
    np.testing.assert_allclose(extent_mm, [60, 60], atol=2.0)
    assert len(inside) * 2.0 == pytest.approx(np.pi * 900, rel=0.01)


def test_contours_go_to_real_positions_where_slices_are_uneven() -> None:
    at = np.array([0.0, 3, 6, 9, 15, 21, 27, 33, 39, 45])
    found = drawn(*(ring_of(10, z=z) for z in (9, 15, 21)), at=at)
    assert np.flatnonzero(found.mask.any(axis=(1, 2))).tolist() == [3, 4, 5]
    assert found.off_plane == 0


def test_a_contour_between_slices_goes_to_the_nearest_and_is_counted() -> None:
    found = drawn(ring_of(10, z=9.0), ring_of(10, z=13.2))
    assert np.flatnonzero(found.mask.any(axis=(1, 2))).tolist() == [3, 4]
    assert found.off_plane == 1


def test_slices_left_out_while_drawing_are_counted() -> None:
    assert drawn(ring_of(10, z=3), ring_of(10, z=9), ring_of(10, z=18)).undrawn_slices == 3


def test_what_lies_outside_is_lost_in_proportion() -> None:
    # Two of four equal discs lie beyond the last slice.
    found = drawn(*(ring_of(10, z=z) for z in (24.0, 27.0, 30.0, 33.0)))
    assert found.share_lost == pytest.approx(0.5)
    half = drawn(square(-10.5, 9.5))
    assert half.share_lost == pytest.approx(0.75)
    assert half.mask.sum() == 100


def test_a_slanted_contour_is_lost_with_its_area() -> None:
    standing = np.array([(10, 10, 0), (40, 10, 0), (40, 10, 27), (10, 10, 27)], float)
    found = drawn(square(9.5, 36.5), standing)
    assert found.slanted == 1
    assert found.share_lost == pytest.approx(810 / (810 + 27 * 27), rel=1e-6)


def test_a_contour_on_another_planet_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(CaseError, match=r"E_RT_OUTSIDE.*a contour lies 1000000000 pixels"):
        drawn(square(0, 1e9))


def test_nothing_drawn_is_an_empty_region() -> None:
    found = drawn()
    assert not found.mask.any()
    assert found.share_lost == 0.0


def test_a_turned_patient_gives_the_turned_mask() -> None:
    # Feet first, prone: rows run backwards, so the same square lies elsewhere on the grid.
    turned = Geometry(
        shape=GRID.shape,
        spacing_mm=GRID.spacing_mm,
        origin_mm=(119.0, 99.0, 0.0),
        direction=(-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0),
    )
    shape = square(9.5, 19.5)
    np.testing.assert_array_equal(drawn(shape, grid=turned).mask, drawn(shape).mask[:, ::-1, ::-1])


@settings(max_examples=30)
@given(
    radius=st.floats(4, 40),
    x=st.floats(45, 75),
    y=st.floats(42, 58),
    start=st.integers(0, 719),
    backward=st.booleans(),
)
def test_where_a_contour_starts_and_which_way_it_runs_does_not_matter(
    radius: float, x: float, y: float, start: int, backward: bool
) -> None:
    outline = ring_of(radius, middle=(x, y))
    other = np.roll(outline, start, axis=0)[:: -1 if backward else 1]
    np.testing.assert_array_equal(drawn(outline).mask, drawn(other).mask)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(2, 117), st.floats(2, 97)), min_size=3, max_size=9))
def test_any_polygon_agrees_with_counting_crossings_point_by_point(
    corners: list[tuple[float, float]],
) -> None:
    # An independent even-odd test, one point at a time (Jordan curve theorem).
    outline = np.array([(x, y, 9.0) for x, y in corners])
    rng = np.random.default_rng(0)
    mask = drawn(outline).mask[3]
    for row, column in rng.integers((0, 0), (100, 120), (50, 2)):
        crossings = 0
        for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
            if (y1 > row) != (y2 > row):
                at = x1 + (row - y1) / (y2 - y1) * (x2 - x1)
                if abs(at - column) < 1e-4:
                    break
                crossings += at > column
        else:
            assert mask[row, column] == bool(crossings % 2)
