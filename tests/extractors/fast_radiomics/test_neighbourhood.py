import numpy as np

from hnmets.extractors.fast_radiomics.neighbourhood import DIRECTIONS, neighbourhood_of
from tests.extractors.fast_radiomics import oracle


def test_the_thirteen_directions_and_their_opposites_are_the_26_neighbours() -> None:
    both = {*DIRECTIONS, *((-d, -h, -w) for d, h, w in DIRECTIONS)}
    assert len(both) == 26
    assert (0, 0, 0) not in both


def test_every_direction_leads_to_an_earlier_voxel_of_the_frame() -> None:
    region = neighbourhood_of(np.ones((2, 3, 4), np.bool_))
    assert region.shape == (4, 5, 6)
    assert region.voxels.size == 24
    assert (region.steps > 0).all()
    assert region.voxels[0] == 1 * 30 + 1 * 6 + 1
    assert region.voxels.min() >= region.steps.max()


def test_lines_are_met_twice_across_gaps() -> None:
    mask = np.zeros((1, 1, 5), np.bool_)
    mask[0, 0, [0, 4]] = True
    met = neighbourhood_of(mask).lines
    assert [d for d, meets in zip(DIRECTIONS, met, strict=True) if meets] == [(0, 0, -1)]


def test_a_diagonal_is_a_line_of_its_own_direction_alone() -> None:
    mask = np.eye(4, dtype=np.bool_)[:, ::-1][np.newaxis]  # H grows as W falls
    met = neighbourhood_of(mask).lines
    assert [d for d, meets in zip(DIRECTIONS, met, strict=True) if meets] == [(0, -1, 1)]


def test_alike_neighbours_set_the_bit_of_their_direction() -> None:
    levels = np.array([[[1, 1], [2, 1]]])
    texture = oracle.texture_of(levels, np.ones((1, 2, 2), np.bool_))
    bits = [
        {DIRECTIONS[a] for a in range(13) if alike >> a & 1} for alike in texture.alike.tolist()
    ]
    assert bits == [set(), {(0, 0, -1)}, set(), {(0, -1, 0), (0, -1, -1)}]
