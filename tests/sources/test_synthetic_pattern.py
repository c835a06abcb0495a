"""The fields and lobes that synthetic tumours are made of."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from hnmets.sources.synthetic.field import gaussian_field, rank_map
from hnmets.sources.synthetic.grid import Grid
from hnmets.sources.synthetic.tumour import Seat, lobed_hu, lobes, outline


def test_classes_are_mirror_images_of_each_other() -> None:
    grid = Grid(shape=(15, 30, 30), spacing_mm=(2.0, 1.0, 1.0))
    seat = Seat(centre_mm=(0.0, 0.0, 0.0), volume_mm3=4000.0)
    box = grid.around(seat.centre_mm, 40.0)
    rng = np.random.default_rng(8)
    blur, texture = rng.standard_normal((2, *box.shape))
    inside = outline(rng, box=box, seat=seat, voxel_mm3=2.0)

    def tumour(
        angle_rad: float,
        inside: NDArray[np.bool_],
        blur: NDArray[np.float64],
        texture: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        nearness = lobes(box=box, seat=seat, angle_rad=angle_rad)
        hu = np.full(box.shape, np.nan)
        depth_mm = distance_transform_edt(inside, sampling=grid.spacing_mm)
        hu[inside] = lobed_hu(
            nearness[inside],
            depth_mm=depth_mm[inside],
            blur=blur[inside],
            texture=texture[inside],
        )
        return hu

    angle_rad = np.pi / 4 + 0.13
    one = tumour(angle_rad, inside, blur, texture)
    for axis in (1, 2):
        mirrored = [np.flip(field, axis) for field in (inside, blur, texture)]
        np.testing.assert_allclose(tumour(-angle_rad, *mirrored), np.flip(one, axis))
    # The lobes themselves look the same after half a turn, and from below.
    nearness = lobes(box=box, seat=seat, angle_rad=angle_rad)
    np.testing.assert_allclose(np.flip(nearness, (1, 2)), nearness)
    np.testing.assert_allclose(np.flip(nearness, 0), nearness)


def test_the_border_of_the_tumour_shows_no_lobes() -> None:
    # Wavelet bands averaged over the mask see its border only: there the classes are the same.
    rng = np.random.default_rng(5)
    near_a_lobe, far_from_both = np.zeros(400), np.full(400, 0.6)
    nearness = np.concatenate([near_a_lobe, far_from_both])
    texture = 1e-3 * rng.standard_normal(800)

    def contrast(depth_mm: float) -> float:
        depth = np.full(800, depth_mm)
        hu = lobed_hu(nearness, depth_mm=depth, blur=np.zeros(800), texture=texture)
        return float(hu[400:].mean() - hu[:400].mean())

    assert abs(contrast(1.0)) < 6.0
    assert contrast(6.0) > 40.0


def test_rank_map_gives_any_pattern_the_same_histogram() -> None:
    rng = np.random.default_rng(2)
    smooth, rough = np.sort(rng.exponential(size=500)), rng.standard_normal(500)
    one = rank_map(smooth, mean_hu=70.0, sd_hu=28.0)
    other = rank_map(rough, mean_hu=70.0, sd_hu=28.0)
    np.testing.assert_array_equal(np.sort(one), np.sort(other))
    np.testing.assert_array_equal(np.argsort(rough), np.argsort(other))
    assert one.mean() == pytest.approx(70.0)
    assert one.std() == pytest.approx(28.0, rel=0.01)


def test_fields_have_the_correlation_of_their_length() -> None:
    field = gaussian_field(
        np.random.default_rng(1), shape=(60, 60, 60), spacing_mm=(2.0, 1.0, 1.0), length_mm=2.0
    )
    assert field.mean() == pytest.approx(0.0, abs=1e-9)
    assert field.std() == pytest.approx(1.0)
    # exp(-r² / 2 length²) at 2 mm: two voxels in plane, one slice.
    in_plane = (field[:, :, 2:] * field[:, :, :-2]).mean()
    across = (field[1:] * field[:-1]).mean()
    np.testing.assert_allclose([in_plane, across], np.exp(-0.5), atol=0.03)
