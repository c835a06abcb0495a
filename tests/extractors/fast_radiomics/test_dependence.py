import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.extractors.fast_radiomics.dependence import (
    FEATURES,
    dependence_counts,
    dependence_of,
)
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import Mask, masks


@given(mask=masks(), n_levels=st.sampled_from([1, 2, 3, 8, 500]), seed=st.integers(0, 2**20))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_dependences_are_pyradiomics_own(mask: Mask, n_levels: int, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(1, n_levels + 1, mask.shape)
    texture = oracle.texture_of(levels, mask)
    theirs = oracle.gldm(levels, mask)
    mine = np.zeros((theirs.shape[0], 27))
    mine[texture.levels.present - 1] = dependence_counts(texture)[0]
    longest = theirs.shape[1]
    np.testing.assert_array_equal(mine[:, :longest], theirs[:, :27])
    assert mine.sum() == theirs.sum() == mask.sum()


def test_the_middle_of_a_cube_depends_on_26() -> None:
    counts = dependence_counts(
        oracle.texture_of(np.ones((3, 3, 3), np.int64), np.ones((3, 3, 3), np.bool_))
    )[0, 0]
    # Corners see a block of 2 × 2 × 2, edges 2 × 2 × 3, faces 2 × 3 × 3, the middle all 27.
    expected = {8: 8, 12: 12, 18: 6, 27: 1}
    assert {n + 1: c for n, c in enumerate(counts.tolist()) if c} == expected


def test_one_odd_voxel_gives_the_features_by_hand() -> None:
    """1 1 2 in a line: dependences 2, 2 and 1 (themselves included)."""
    m = dependence_of(oracle.texture_of(np.array([[[1, 1, 2]]]), np.ones((1, 1, 3), np.bool_)))
    expected = {
        "SmallDependenceEmphasis": (1 / 4 + 1 / 4 + 1) / 3,
        "LargeDependenceEmphasis": 3.0,
        "LowGrayLevelEmphasis": (1 + 1 + 1 / 4) / 3,
        "HighGrayLevelEmphasis": 2.0,
        "GrayLevelNonUniformity": 5 / 3,
        "DependenceNonUniformity": 5 / 3,
        "DependenceNonUniformityNormalized": 5 / 9,
        "DependenceVariance": 2 / 9,
        "GrayLevelVariance": 2 / 9,
        "DependenceEntropy": np.log2(3) - 2 / 3,
        "LargeDependenceHighGrayLevelEmphasis": 4.0,
        "SmallDependenceLowGrayLevelEmphasis": (1 / 4 + 1 / 4 + 1 / 4) / 3,
    }
    for name, value in expected.items():
        assert FEATURES[name](m) == pytest.approx([value], abs=1e-14), name
