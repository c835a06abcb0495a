import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.extractors.fast_radiomics.cooccurrence import (
    FEATURES,
    cooccurrence_counts,
    cooccurrence_of,
)
from hnmets.extractors.fast_radiomics.neighbourhood import DIRECTIONS
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import Mask, masks

ALONG_W = DIRECTIONS.index((0, 0, -1))
ALONG_D = DIRECTIONS.index((-1, 0, 0))


@given(mask=masks(), n_levels=st.sampled_from([1, 2, 3, 8, 500]), seed=st.integers(0, 2**20))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_counts_of_every_direction_are_pyradiomics_own(
    mask: Mask, n_levels: int, seed: int
) -> None:
    levels = np.random.default_rng(seed).integers(1, n_levels + 1, mask.shape)
    texture = oracle.texture_of(levels, mask)
    places = texture.levels.present - 1
    theirs = oracle.glcm(levels, mask)
    np.testing.assert_array_equal(cooccurrence_counts(texture), theirs[:, places][:, :, places])
    assert theirs.sum() == cooccurrence_counts(texture).sum()  # nothing at absent levels


def test_neighbours_are_counted_both_ways_by_hand() -> None:
    # 1 1 2
    # 2 2 2, the last voxel outside
    levels = np.array([[[1, 1, 2], [2, 2, 2]]])
    mask = np.array([[[1, 1, 1], [1, 1, 0]]], np.bool_)
    counts = cooccurrence_counts(oracle.texture_of(levels, mask))
    # Along W: 1-1, 1-2, 2-2, each both ways.
    assert counts[ALONG_W].tolist() == [[2, 1], [1, 2]]
    assert counts[ALONG_D].sum() == 0


def test_two_levels_along_a_line_of_two_give_the_features_by_hand() -> None:
    """p(1, 3) = p(3, 1) = 1/2 in the one direction of a pair of voxels; μ = 2."""
    levels = np.array([[[1, 3]]])
    m = cooccurrence_of(oracle.texture_of(levels, np.ones((1, 1, 2), np.bool_)))
    expected = {
        "Autocorrelation": 3.0,
        "JointAverage": 2.0,
        "ClusterTendency": 0.0,
        "Contrast": 4.0,
        "Correlation": -1.0,
        "DifferenceAverage": 2.0,
        "DifferenceEntropy": 0.0,
        "JointEnergy": 0.5,
        "JointEntropy": 1.0,
        "Imc1": -1.0,  # (1 - 2) / 1
        "Imc2": np.sqrt(1 - np.exp(-2)),
        "Id": 1 / 3,
        "Idm": 1 / 5,
        "Idmn": 1 / (1 + 4 / 9),
        "Idn": 1 / (1 + 2 / 3),
        "InverseVariance": 1 / 4,
        "MaximumProbability": 0.5,
        "SumEntropy": 0.0,
        "SumSquares": 1.0,
    }
    for name, value in expected.items():
        assert FEATURES[name](m) == pytest.approx([value], abs=1e-14), name


def test_a_flat_region_is_perfectly_correlated() -> None:
    m = cooccurrence_of(oracle.texture_of(np.full((2, 2, 2), 4), np.ones((2, 2, 2), np.bool_)))
    for name, value in {"Correlation": 1, "Imc1": 0, "Imc2": 0, "JointEnergy": 1}.items():
        np.testing.assert_array_equal(FEATURES[name](m), [value] * 13)


def test_voxels_without_neighbours_have_no_matrix() -> None:
    mask = np.zeros((3, 3, 3), np.bool_)
    mask[::2, ::2, ::2] = True
    m = cooccurrence_of(oracle.texture_of(np.ones((3, 3, 3), np.int64), mask))
    assert m.mean.size == 0
