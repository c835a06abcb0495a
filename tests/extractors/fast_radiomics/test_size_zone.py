import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.extractors.fast_radiomics.size_zone import FEATURES, size_zone_of, zones
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import Mask, masks


@given(mask=masks(), n_levels=st.sampled_from([1, 2, 3, 8, 500]), seed=st.integers(0, 2**20))
@settings(max_examples=250, deadline=None, derandomize=True)
def test_the_zones_are_pyradiomics_own(mask: Mask, n_levels: int, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(1, n_levels + 1, mask.shape)
    texture = oracle.texture_of(levels, mask)
    theirs = oracle.glszm(levels, mask)
    mine = np.zeros_like(theirs)
    rank, size, count = zones(texture)
    mine[texture.levels.present[rank] - 1, size - 1] = count
    np.testing.assert_array_equal(mine, theirs)


def test_corners_join_voxels_and_gaps_part_them() -> None:
    # 1 2 1 .
    # . 1 2 1   two levels; the 1s touch at their corners, and so do the 2s
    # 2 . . .   but this one stands alone
    levels = np.array([[[1, 2, 1, 9], [9, 1, 2, 1], [2, 9, 9, 9]]])
    mask = levels != 9
    mask[0, 1, 1] = False  # now the 1 on the left stands alone as well
    rank, size, count = zones(oracle.texture_of(levels, mask))
    assert list(zip(rank, size, count, strict=True)) == [
        (0, 1, 1),
        (0, 2, 1),
        (1, 1, 1),
        (1, 2, 1),
    ]


def test_a_spiral_is_one_zone() -> None:
    """Its arms meet after both have grown: the case that joins two roots."""
    spiral = np.array(
        [
            [1, 1, 1, 1, 1, 1, 1],
            [2, 2, 2, 2, 2, 2, 1],
            [1, 1, 1, 1, 1, 2, 1],
            [1, 2, 2, 2, 1, 2, 1],
            [1, 2, 1, 1, 1, 2, 1],
            [1, 2, 2, 2, 2, 2, 1],
            [1, 1, 1, 1, 1, 1, 1],
        ]
    )[np.newaxis]
    rank, size, count = zones(oracle.texture_of(spiral, np.ones(spiral.shape, np.bool_)))
    n_ones = int((spiral == 1).sum())
    assert list(zip(rank, size, count, strict=True)) == [(0, n_ones, 1), (1, 49 - n_ones, 1)]


def test_two_zones_give_the_features_by_hand() -> None:
    """Zones of 1 and 3 voxels, at levels 2 and 1: n = 2 zones of 4 voxels."""
    m = size_zone_of(oracle.texture_of(np.array([[[1, 1, 1, 2]]]), np.ones((1, 1, 4), np.bool_)))
    expected = {
        "SmallAreaEmphasis": (1 + 1 / 9) / 2,
        "LargeAreaEmphasis": 5.0,
        "LowGrayLevelZoneEmphasis": (1 / 4 + 1) / 2,
        "HighGrayLevelZoneEmphasis": 2.5,
        "SmallAreaHighGrayLevelEmphasis": (4 + 1 / 9) / 2,
        "LargeAreaLowGrayLevelEmphasis": (1 / 4 + 9) / 2,
        "ZonePercentage": 0.5,
        "ZoneVariance": 1.0,
        "GrayLevelVariance": 0.25,
        "ZoneEntropy": 1.0,
        "GrayLevelNonUniformity": 1.0,
        "SizeZoneNonUniformityNormalized": 0.5,
    }
    for name, value in expected.items():
        assert FEATURES[name](m) == pytest.approx([value], abs=1e-14), name
