"""However a volume is stored, it is the same volume afterwards."""

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from hnmets.domain.geometry import Geometry, Volume
from hnmets.imaging.orientation import canonical
from hnmets.sources.nifti import read_ct, read_mask
from tests.builders_volumes import affine_ras, write_nifti

CODES = ["".join(code) for axes in permutations(("RL", "AP", "SI")) for code in product(*axes)]


def tilted() -> Geometry:
    """A grid turned by 10 degrees about z and 5 about x."""
    a, b = np.deg2rad(10), np.deg2rad(5)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return Geometry(
        shape=(4, 5, 6),
        spacing_mm=(3.0, 0.8, 0.7),
        origin_mm=(-120.5, 33.25, -700.0),
        direction=tuple((about_z @ about_x).ravel()),
    )


def axial() -> Geometry:
    return Geometry(shape=(4, 5, 6), spacing_mm=(3.0, 0.8, 0.7), origin_mm=(-120.5, 33.25, -700))


def stored_as(code: str, geometry: Geometry, path: Path) -> Path:
    """Write voxels 0, 1, 2, … of a grid in another axis order, as nibabel understands it."""
    voxels = np.arange(np.prod(geometry.shape), dtype=np.int16).reshape(geometry.shape)
    image = nib.Nifti1Image(voxels.T, affine_ras(geometry))
    here = nib.orientations.io_orientation(image.affine)
    there = nib.orientations.axcodes2ornt(tuple(code))
    turned = image.as_reoriented(nib.orientations.ornt_transform(here, there))
    assert "".join(nib.orientations.aff2axcodes(turned.affine)) == code
    data = np.asarray(turned.dataobj)
    return write_nifti(path, data.T, affine=turned.affine, qform_code=0)


@pytest.mark.parametrize("geometry", [axial(), tilted()], ids=["axial", "oblique"])
def test_all_48_orientations_give_the_same_voxels_at_the_same_places(
    tmp_path: Path, geometry: Geometry
) -> None:
    expected = np.arange(120).reshape(4, 5, 6)
    for code in CODES:
        path = stored_as(code, geometry, tmp_path / f"{code}.nii")
        for read in (read_ct, read_mask):
            volume = canonical(read(path, memory_gib=1).volume)
            np.testing.assert_array_equal(volume.voxels, expected, err_msg=code)
            assert volume.voxels.flags.c_contiguous
            assert volume.geometry.shape == geometry.shape
            # NIfTI keeps float32
            found, wanted = volume.geometry, geometry
            np.testing.assert_allclose(found.spacing_mm, wanted.spacing_mm, rtol=1e-6)
            np.testing.assert_allclose(found.origin_mm, wanted.origin_mm, atol=1e-4)
            np.testing.assert_allclose(found.direction, wanted.direction, atol=1e-6)
    assert len(CODES) == 48


def test_a_canonical_volume_is_returned_as_it_is() -> None:
    volume = Volume(voxels=np.zeros((4, 5, 6)), geometry=tilted())
    assert canonical(volume) is volume


def test_turning_twice_is_turning_once(tmp_path: Path) -> None:
    once = canonical(read_ct(stored_as("SRP", tilted(), tmp_path / "a.nii"), memory_gib=1).volume)
    assert canonical(once) is once


def test_the_origin_moves_to_the_other_end_of_a_flipped_axis() -> None:
    # x runs to the right in 6 steps of 0.5 mm from 10: the last voxel lies at 10 - 2.5
    geometry = Geometry(
        shape=(4, 5, 6),
        spacing_mm=(3.0, 1.0, 0.5),
        origin_mm=(10.0, 0.0, 0.0),
        direction=(-1, 0, 0, 0, 1, 0, 0, 0, 1),
    )
    voxels = np.broadcast_to(np.arange(6), (4, 5, 6))
    turned = canonical(Volume(voxels=voxels, geometry=geometry))
    assert turned.geometry.origin_mm == (7.5, 0.0, 0.0)
    assert turned.voxels[0, 0].tolist() == [5, 4, 3, 2, 1, 0]
