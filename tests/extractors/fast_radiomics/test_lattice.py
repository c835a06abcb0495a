import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.extractors.fast_radiomics.lattice import Lattice, cropped, lattice_around
from hnmets.extractors.measurement import box_of
from hnmets.extractors.pyradiomics_engine import to_sitk
from hnmets.imaging.box import Box
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import (
    DIRECTIONS,
    FLIPPED,
    SPACINGS_MM,
    Phantom,
    Triple,
    phantoms,
    volume,
)

SHAPE = (10, 20, 30)
CT = volume(np.zeros(SHAPE, np.int16), (3.0, 1.0, 2.0), origin_mm=(100.0, 200.0, 300.0))
BOX: Box = (slice(4, 6), slice(9, 12), slice(0, 5))


def around(box: Box, spacing_mm: Triple | None, *, pad_voxels: int = 1) -> Lattice:
    return lattice_around(box, CT.geometry, spacing_mm=spacing_mm, pad_voxels=pad_voxels)


def test_a_grid_of_half_the_spacing_starts_a_quarter_voxel_outside_of_the_first_one() -> None:
    lattice = around(BOX, (1.5, 0.5, 1.0))
    # D: from floor((4 - 0.5) * 2 - 1) = 6 to ceil((6 - 0.5) * 2 + 1) = 12, H likewise 16 … 24,
    # W from 0, for there is nothing before the CT, to ceil(4.5 * 2 + 1) = 10.
    assert lattice.shape == (7, 9, 11)
    # The centre of voxel 0 lies a quarter of an old voxel before the old one's; W, H, D along
    # x, y, z.
    assert lattice.origin_mm == (100 - 0.5, 200 + 16 * 0.5 - 0.25, 300 + 6 * 1.5 - 0.75)


def test_a_single_slice_is_not_resampled_across() -> None:
    flat = (slice(4, 5), *BOX[1:])
    lattice = around(flat, (1.0, 1.0, 1.0))
    assert lattice.spacing_mm == (3.0, 1.0, 1.0)
    assert lattice.shape[0] == 5  # floor(3.5 - 1) … ceil(4.5 + 1), in old slices


def test_the_grid_of_the_ct_itself_is_a_crop() -> None:
    for spacing_mm in (None, (3.0, 1.0, 2.0), (3.0 + 1e-6, 1.0, 2.0)):
        lattice = around(BOX, spacing_mm, pad_voxels=2)
        assert lattice.crop == (slice(2, 8), slice(7, 14), slice(0, 7))
        assert lattice.shape == (6, 7, 7)
        assert lattice.origin_mm == (100.0, 207.0, 306.0)


def test_a_crop_of_a_turned_ct_starts_where_its_first_voxel_lies() -> None:
    turned = volume(np.zeros(SHAPE, np.int16), (3.0, 1.0, 2.0), direction=FLIPPED)
    lattice = cropped((slice(1, 2), slice(2, 3), slice(5, 9)), turned.geometry, pad_voxels=0)
    np.testing.assert_allclose(lattice.origin_mm, (-123.4 - 10, 51.7 - 2, 3.3 + 3), rtol=1e-15)


@given(
    phantom=phantoms(longest=5, margin=15),
    spacing_mm=st.tuples(*[st.floats(0.3, 4.0)] * 3),
    pad_voxels=st.integers(0, 12),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_size_spacing_and_origin_are_pyradiomics_own(
    phantom: Phantom, spacing_mm: Triple, pad_voxels: int
) -> None:
    theirs, _ = oracle.resampled(phantom.ct, phantom.mask, spacing_mm, pad_voxels=pad_voxels)
    mine = lattice_around(
        box_of(phantom.mask), phantom.ct.geometry, spacing_mm=spacing_mm, pad_voxels=pad_voxels
    )
    assert mine.shape == theirs.GetSize()[::-1]
    assert mine.spacing_mm == theirs.GetSpacing()[::-1]
    assert mine.origin_mm == theirs.GetOrigin()


@given(
    spacing_mm=st.one_of(st.sampled_from(SPACINGS_MM), st.tuples(*[st.floats(0.1, 9.0)] * 3)),
    direction=st.sampled_from(DIRECTIONS),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_way_from_millimetres_to_an_index_is_itks(
    spacing_mm: Triple, direction: tuple[float, ...]
) -> None:
    ct = volume(np.zeros((2, 2, 2), np.int16), spacing_mm, direction=direction)
    lattice = cropped((slice(0, 2),) * 3, ct.geometry, pad_voxels=0)
    image = to_sitk(ct.voxels, ct.geometry)
    point = (7.0, -3.0, 11.0)
    moved = np.array(point) - np.array(ct.geometry.origin_mm)
    rows = [row[0] * moved[0] + row[1] * moved[1] + row[2] * moved[2] for row in lattice.to_index]
    assert tuple(rows) == image.TransformPhysicalPointToContinuousIndex(point)
