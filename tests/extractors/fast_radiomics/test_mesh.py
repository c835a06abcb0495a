import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import cShape

from hnmets.extractors.fast_radiomics.mesh import area_and_volume, diameters, patches_of
from tests.extractors.fast_radiomics.phantoms import SPACINGS_MM, Mask, Triple, masks

SPACING_MM: Triple = (3.0, 1.0, 2.0)


@given(
    mask=masks(),
    spacing_mm=st.one_of(st.sampled_from(SPACINGS_MM), st.tuples(*[st.floats(0.3, 5.0)] * 3)),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_area_volume_and_diameters_are_pyradiomics_own(mask: Mask, spacing_mm: Triple) -> None:
    area, volume, theirs = cShape.calculate_coefficients(np.pad(mask, 1), np.array(spacing_mm))
    mine = diameters(mask, spacing_mm)
    assert area_and_volume(mask, spacing_mm) == pytest.approx((area, volume), rel=1e-11)
    # PyRadiomics' names: within D, within H and within W.
    assert (mine.slice, mine.column, mine.row, mine.any) == pytest.approx(theirs, rel=1e-12)


def test_a_voxel_is_an_octahedron() -> None:
    """Corners half a voxel from the centre along each axis: V = abc/6, four faces twice."""
    a, b, c = SPACING_MM
    faces = 8 * 0.5 * np.sqrt((a * b) ** 2 + (b * c) ** 2 + (c * a) ** 2) / 4
    found = area_and_volume(np.ones((1, 1, 1), np.bool_), SPACING_MM)
    assert found == pytest.approx((faces, a * b * c / 6), rel=1e-14)


def test_the_diameters_of_a_voxel_are_those_of_its_octahedron() -> None:
    found = diameters(np.ones((1, 1, 1), np.bool_), SPACING_MM)
    # Each plane through the centre holds four corners; the longest diagonal is an axis.
    assert (found.slice, found.column, found.row, found.any) == (2.0, 3.0, 3.0, 3.0)


def test_the_diameters_of_a_box_are_worked_out_by_hand() -> None:
    """Of 2 × 3 × 4 voxels: points of a face are half a voxel out, the others on voxel centres."""
    found = diameters(np.ones((2, 3, 4), np.bool_), (1.0, 1.0, 1.0))
    # Between the far corners of faces that lie opposite to each other across W: 4, 2 and 1.
    assert found.any == pytest.approx(np.sqrt(4**2 + 2**2 + 1**2))
    # Slice (same D): W faces 4 apart, and up to 2 along H. Column (same H): 4 and 1.
    assert found.slice == pytest.approx(np.sqrt(4**2 + 2**2))
    assert found.column == pytest.approx(np.sqrt(4**2 + 1**2))
    # Row (same W): 3 and 1 across the H faces, 2 and 2 across the D faces.
    assert found.row == pytest.approx(np.sqrt(3**2 + 1**2))


def test_a_hole_takes_volume_and_adds_surface() -> None:
    solid = np.ones((7, 7, 7), np.bool_)
    hollow = solid.copy()
    hollow[3, 3, 3] = False
    spacing_mm = (1.0, 1.0, 1.0)
    area, volume = area_and_volume(solid, spacing_mm)
    hole_area, hole_volume = area_and_volume(np.ones((1, 1, 1), np.bool_), spacing_mm)
    assert area_and_volume(hollow, spacing_mm) == pytest.approx(
        (area + hole_area, volume - hole_volume), rel=1e-12
    )
    assert diameters(hollow, spacing_mm) == diameters(solid, spacing_mm)


def test_parts_that_lie_apart_add_up_and_the_longest_way_joins_them() -> None:
    one = np.ones((1, 1, 1), np.bool_)
    both = np.zeros((1, 1, 6), np.bool_)
    both[0, 0, [0, 5]] = True
    spacing_mm = (1.0, 1.0, 1.0)
    area, volume = area_and_volume(one, spacing_mm)
    assert area_and_volume(both, spacing_mm) == pytest.approx((2 * area, 2 * volume), rel=1e-12)
    assert diameters(both, spacing_mm).any == 6.0
    assert diameters(both, spacing_mm).row == 1.0


def test_empty_and_full_cubes_have_no_patch() -> None:
    patches = patches_of((1.0, 1.0, 1.0))
    assert patches.area_mm2[[0, 255]].tolist() == [0, 0]
    assert (patches.area_mm2[1:255] > 0).all()


@pytest.mark.parametrize("k", [2, 3])
def test_spacing_scales_area_and_volume(k: int) -> None:
    mask = np.random.default_rng(4).random((5, 6, 7)) < 0.6
    area, volume = area_and_volume(mask, (1.0, 1.0, 1.0))
    larger = area_and_volume(mask, (float(k),) * 3)
    assert larger == pytest.approx((k**2 * area, k**3 * volume), rel=1e-12)
