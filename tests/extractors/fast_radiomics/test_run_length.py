import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.extractors.fast_radiomics.neighbourhood import DIRECTIONS
from hnmets.extractors.fast_radiomics.run_length import (
    FEATURES,
    run_length_counts,
    run_length_of,
)
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import Mask, masks

ALONG_W = DIRECTIONS.index((0, 0, -1))


@given(mask=masks(), n_levels=st.sampled_from([1, 2, 3, 8, 500]), seed=st.integers(0, 2**20))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_runs_of_every_direction_are_pyradiomics_own(
    mask: Mask, n_levels: int, seed: int
) -> None:
    levels = np.random.default_rng(seed).integers(1, n_levels + 1, mask.shape)
    texture = oracle.texture_of(levels, mask)
    theirs = oracle.glrlm(levels, mask)
    np.testing.assert_array_equal(
        run_length_counts(texture), theirs[:, texture.levels.present - 1]
    )
    assert theirs.sum() == run_length_counts(texture).sum()  # nothing at absent levels


def test_a_gap_ends_a_run() -> None:
    levels = np.array([[[1, 1, 1, 1, 2, 2, 1], [1, 1, 1, 1, 1, 1, 1]]])
    mask = np.array([[[1, 1, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0]]], np.bool_)
    counts = run_length_counts(oracle.texture_of(levels, mask))[ALONG_W]
    # 11 gap 1 22 1: two runs of one and one of two at level 1, one of two at level 2.
    assert counts.tolist() == [[2, 1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]]


def test_a_direction_along_which_no_line_meets_the_region_twice_is_left_out() -> None:
    flat = oracle.texture_of(np.ones((1, 3, 3), np.int64), np.ones((1, 3, 3), np.bool_))
    counts = run_length_counts(flat)
    across = [a for a, direction in enumerate(DIRECTIONS) if direction[0]]
    assert counts[across].sum() == 0
    assert len(run_length_of(flat).counts) == 4


def test_every_voxel_is_in_one_run_of_each_direction() -> None:
    rng = np.random.default_rng(1)
    levels = rng.integers(1, 4, (6, 5, 7))
    counts = run_length_counts(oracle.texture_of(levels, np.ones(levels.shape, np.bool_)))
    voxels = (counts * np.arange(1, 8)).sum(axis=(1, 2))
    np.testing.assert_array_equal(voxels, levels.size)


def test_one_run_of_four_gives_the_features_by_hand() -> None:
    m = run_length_of(oracle.texture_of(np.full((1, 1, 4), 3), np.ones((1, 1, 4), np.bool_)))
    expected = {
        "ShortRunEmphasis": 1 / 16,
        "LongRunEmphasis": 16.0,
        "LowGrayLevelRunEmphasis": 1 / 9,
        "HighGrayLevelRunEmphasis": 9.0,
        "ShortRunLowGrayLevelEmphasis": 1 / 144,
        "ShortRunHighGrayLevelEmphasis": 9 / 16,
        "LongRunLowGrayLevelEmphasis": 16 / 9,
        "LongRunHighGrayLevelEmphasis": 144.0,
        "RunPercentage": 1 / 4,
        "RunVariance": 0.0,
        "GrayLevelVariance": 0.0,
        "RunEntropy": 0.0,
        "GrayLevelNonUniformity": 1.0,
        "RunLengthNonUniformityNormalized": 1.0,
    }
    for name, value in expected.items():
        assert FEATURES[name](m) == pytest.approx([value], abs=1e-14), name
