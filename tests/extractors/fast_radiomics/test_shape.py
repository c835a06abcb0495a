import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics.shape import RadiomicsShape

from hnmets.extractors.fast_radiomics.shape import FEATURES, form_of
from hnmets.extractors.pyradiomics_engine import to_sitk
from tests.extractors.fast_radiomics.phantoms import SPACINGS_MM, Mask, Triple, masks, volume

BOX = np.ones((2, 3, 4), np.bool_)


def test_axes_of_a_box_are_worked_out_by_hand() -> None:
    """The variance of n places in a row is (n² − 1)/12 steps²; an axis is 4 √variance."""
    form = form_of(BOX, (1.0, 2.0, 3.0))
    least, minor, major = 3 / 12, 4 * 8 / 12, 9 * 15 / 12
    expected = {
        "LeastAxisLength": 4 * np.sqrt(least),
        "MinorAxisLength": 4 * np.sqrt(minor),
        "MajorAxisLength": 4 * np.sqrt(major),
        "Elongation": np.sqrt(minor / major),
        "Flatness": np.sqrt(least / major),
        "VoxelVolume": 24 * 6.0,
    }
    for name, value in expected.items():
        assert FEATURES[name](form) == pytest.approx(value, rel=1e-13), name


def test_area_and_volume_make_sphericity_and_ratio() -> None:
    form = form_of(np.ones((1, 1, 1), np.bool_), (1.0, 1.0, 1.0))
    # An octahedron of edge 1/√2: area √3, volume 1/6.
    assert FEATURES["SurfaceArea"](form) == pytest.approx(np.sqrt(3))
    assert FEATURES["MeshVolume"](form) == pytest.approx(1 / 6)
    assert FEATURES["SurfaceVolumeRatio"](form) == pytest.approx(6 * np.sqrt(3))
    assert FEATURES["Sphericity"](form) == pytest.approx(np.cbrt(np.pi) / np.sqrt(3))


def test_a_ball_is_nearly_a_sphere() -> None:
    at = np.arange(41) - 20.0
    ball = sum(np.meshgrid(at**2, at**2, at**2)) <= 15**2
    form = form_of(ball, (1.0, 1.0, 1.0))
    assert FEATURES["MeshVolume"](form) == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.01)
    assert FEATURES["Maximum3DDiameter"](form) == pytest.approx(30, rel=0.04)
    # Steps of voxels add a tenth to the surface.
    assert 0.9 < FEATURES["Sphericity"](form) < 1
    assert FEATURES["Elongation"](form) == pytest.approx(1, rel=1e-12)


def test_a_flat_region_has_no_least_axis() -> None:
    form = form_of(np.ones((1, 5, 6), np.bool_), (1.0, 1.0, 1.0))
    assert FEATURES["LeastAxisLength"](form) == pytest.approx(0, abs=1e-6)
    assert FEATURES["Flatness"](form) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Maximum2DDiameterSlice", 0),
        ("Maximum2DDiameterColumn", 1),
        ("Maximum2DDiameterRow", 2),
    ],
)
def test_plane_diameters_lie_across_their_own_axis(name: str, place: int) -> None:
    line = [3, 3, 3]
    line[place] = 15  # long across the plane, which does not count
    form = form_of(np.ones(line, np.bool_), (1.0, 1.0, 1.0))
    assert FEATURES[name](form) == pytest.approx(np.sqrt(3**2 + 2**2))
    assert FEATURES["Maximum3DDiameter"](form) == pytest.approx(np.sqrt(15**2 + 2**2 + 2**2))


@given(mask=masks(), spacing_mm=st.sampled_from(SPACINGS_MM))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_axes_are_pyradiomics_own(mask: Mask, spacing_mm: Triple) -> None:
    """To the last bit: of a flat or thin region the least axis is nothing but a rounding error."""
    ct = volume(np.zeros(mask.shape, np.int16), spacing_mm)
    labelmap = to_sitk(mask.astype(np.uint8), ct.geometry)
    theirs = RadiomicsShape(to_sitk(ct.voxels, ct.geometry), labelmap)
    np.testing.assert_array_equal(form_of(mask, spacing_mm).variances, np.real(theirs.eigenValues))
