"""Uneven slices on a regular grid: by true positions, exact where a slice was, near between."""

import numpy as np
import pytest

from hnmets.domain.geometry import Geometry, Volume
from hnmets.sources.dicom.rasterise import rasterise
from hnmets.sources.dicom.uneven import even_ct, even_distances, even_mask

# Slices 3 mm apart, then 6 mm.
AT = np.array([0.0, 3, 6, 9, 12, 18, 24, 30, 36])
EVEN = np.arange(0.0, 37.0, 3.0)
GRID = Geometry(shape=(9, 90, 90), spacing_mm=(3.0, 1.0, 1.0))


def test_the_regular_grid_is_as_dense_as_the_closest_slices() -> None:
    np.testing.assert_allclose(even_distances(AT), EVEN)


def test_hu_that_grow_along_the_patient_are_exact_between_slices_too() -> None:
    hu = np.broadcast_to((10 * AT)[:, None, None], (9, 4, 5)).astype(np.int16)
    volume = Volume(voxels=hu, geometry=Geometry(shape=(9, 4, 5), spacing_mm=(3.0, 1.0, 1.0)))
    out = even_ct(volume, AT, EVEN)
    assert out.voxels.dtype == np.int16
    np.testing.assert_array_equal(out.voxels[:, 2, 3], 10 * EVEN)
    assert out.geometry.shape == (13, 4, 5)
    assert out.geometry.spacing_mm == (3.0, 1.0, 1.0)


def test_a_cone_drawn_on_uneven_slices_is_the_cone() -> None:
    # Radius 36 mm at 0 mm, 18 mm at 36 mm: between two slices it shrinks evenly.
    def radius(z: float) -> float:
        return 36 - z / 2

    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    polygons = [
        np.column_stack(
            [44.6 + radius(z) * np.cos(angles), 45.2 + radius(z) * np.sin(angles), np.full(720, z)]
        )
        for z in AT
    ]
    mask = even_mask(rasterise(polygons, GRID, AT).mask, AT, EVEN, (1.0, 1.0))
    y, x = np.ogrid[0:90, 0:90]
    truth = np.array([(x - 44.6) ** 2 + (y - 45.2) ** 2 < radius(z) ** 2 for z in EVEN])
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) >= 0.995


def test_a_region_ends_half_way_to_the_slice_that_lacks_it() -> None:
    mask = np.zeros((9, 4, 4), bool)
    # At 24 mm; its neighbours lie at 18 and 30 mm. Of two equally near ones the upper counts.
    mask[6, 1:3, 1:3] = True
    out = even_mask(mask, AT, EVEN, (1.0, 1.0))
    assert np.flatnonzero(out.any(axis=(1, 2))).tolist() == [7, 8]


@pytest.mark.parametrize("place", range(9))
def test_a_slice_that_was_there_stays_as_it_was(place: int) -> None:
    rng = np.random.default_rng(place)
    mask = rng.random((9, 12, 12)) < 0.4
    out = even_mask(mask, AT, EVEN, (1.0, 1.0))
    np.testing.assert_array_equal(out[int(AT[place] / 3)], mask[place])
