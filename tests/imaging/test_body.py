"""The body: with its cavities, without couch and mask, cropped or not."""

import numpy as np
import pytest

from hnmets.domain.geometry import Geometry, Volume
from hnmets.imaging.body import body_mask
from tests.builders_volumes import ball, neck


def scan() -> tuple[Volume, np.ndarray, np.ndarray]:
    """A neck in air, its outline as one knows it, and a tumour."""
    ct = neck((12, 160, 160), spacing_mm=(3.0, 1.0, 1.0))
    outline = np.zeros(ct.geometry.shape, bool)
    y, x = np.ogrid[-80:80, -80:80]
    outline[:] = y**2 + x**2 <= 70**2
    tumour = ball(ct.geometry.shape, centre=(6, 90, 110), radius_mm=10, spacing_mm=(3, 1, 1))
    return ct, outline, tumour


def test_the_body_is_the_outline_with_its_airway() -> None:
    ct, outline, tumour = scan()
    found = body_mask(ct, seed=tumour)
    # opening may take a pixel where the outline runs along an axis
    assert np.count_nonzero(found ^ outline) < 0.002 * outline.sum()
    assert found[6, 50, 80]  # in the airway


def test_couch_and_immobilisation_mask_are_not_body() -> None:
    ct, outline, tumour = scan()
    y, x = np.ogrid[-80:80, -80:80]
    shell = (y**2 + x**2 > 73**2) & (y**2 + x**2 <= 75**2)
    ct.voxels[:, shell] = 0
    ct.voxels[:, 154:157] = 100
    ct.voxels[::3, 76:84, 70 + 78 : 70 + 86] = 0  # the mask touches the skin
    ct.voxels[:, 148:156, 80] = 100  # and so does the couch
    found = body_mask(ct, seed=tumour)
    assert not found[:, 154:].any()
    assert np.count_nonzero(found[:, shell]) < 0.02 * 12 * np.count_nonzero(shell)
    assert found[outline].mean() > 0.998


def test_a_crop_inside_the_body_is_all_body() -> None:
    ct = Volume(
        voxels=np.full((8, 20, 20), 50, np.int16),
        geometry=Geometry(shape=(8, 20, 20), spacing_mm=(3.0, 1.0, 1.0)),
    )
    assert body_mask(ct, seed=np.zeros((8, 20, 20), bool)).all()


def test_thin_tissue_at_the_border_of_a_crop_goes_on_behind_it() -> None:
    ct, outline, _ = scan()
    row = int(np.flatnonzero(outline[6, :, 80])[-1]) - 1  # two rows of skin stay in the crop
    cropped = Volume(
        voxels=ct.voxels[:, row:],
        geometry=Geometry(shape=(12, 160 - row, 160), spacing_mm=(3, 1, 1)),
    )
    found = body_mask(cropped, seed=np.zeros_like(cropped.voxels, bool))
    np.testing.assert_array_equal(found[6, 0], outline[6, row])


def test_the_part_with_the_tumour_is_the_body_not_the_largest() -> None:
    voxels = np.full((6, 40, 80), -1000, np.int16)
    voxels[:, 5:35, 5:50] = 50
    voxels[:, 10:30, 60:75] = 50  # an arm beside the trunk
    ct = Volume(voxels=voxels, geometry=Geometry(shape=(6, 40, 80), spacing_mm=(3, 1, 1)))
    tumour = np.zeros(voxels.shape, bool)
    tumour[2:4, 15:20, 65:70] = True
    arm = body_mask(ct, seed=tumour)
    assert arm[:, 10:30, 60:75].all()
    assert not arm[:, :, :55].any()
    trunk = body_mask(ct, seed=np.zeros_like(tumour))
    assert trunk[:, 5:35, 5:50].all()
    assert not trunk[:, :, 55:].any()


def test_a_tumour_of_gas_does_not_make_the_room_the_body() -> None:
    ct, outline, tumour = scan()
    ct.voxels[tumour] = -1000
    assert body_mask(ct, seed=tumour)[outline].mean() > 0.998


def test_a_volume_without_tissue_has_no_body() -> None:
    ct = Volume(
        voxels=np.full((4, 8, 8), -1000, np.int16),
        geometry=Geometry(shape=(4, 8, 8), spacing_mm=(3, 1, 1)),
    )
    assert not body_mask(ct, seed=np.ones((4, 8, 8), bool)).any()


@pytest.mark.parametrize(
    "box", [np.s_[2:10, 70:110, 90:130], np.s_[5:6, :, :], np.s_[4:12, 0:30, 130:160]]
)
def test_a_box_of_the_body_is_that_box_of_the_whole(box: tuple[slice, slice, slice]) -> None:
    ct, _, tumour = scan()
    whole = body_mask(ct, seed=tumour)
    np.testing.assert_array_equal(body_mask(ct, seed=tumour, box=box), whole[box])


def test_tissue_that_is_connected_only_outside_the_box_is_body() -> None:
    # two legs that meet two slices above the tumour
    voxels = np.full((12, 40, 80), -1000, np.int16)
    voxels[:8, 5:35, 5:38] = 50
    voxels[:8, 5:35, 42:75] = 50
    voxels[8:, 5:35, 5:75] = 50
    ct = Volume(voxels=voxels, geometry=Geometry(shape=(12, 40, 80), spacing_mm=(3, 1, 1)))
    tumour = np.zeros(voxels.shape, bool)
    tumour[3:5, 15:20, 30:36] = True
    box = np.s_[1:7, 10:25, 25:60]
    assert body_mask(ct, seed=tumour, box=box)[:, :, 17:].all()  # column 42 of the volume
    voxels[8:] = -1000
    assert not body_mask(ct, seed=tumour, box=box)[:, :, 17:].any()
