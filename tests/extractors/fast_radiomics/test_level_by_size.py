import numpy as np
import pytest
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics import level_by_size as m
from hnmets.extractors.fast_radiomics.level_by_size import LevelBySize, level_by_size


def matrix(counts: NDArray[np.int64]) -> LevelBySize:
    return level_by_size(counts, np.array([1, 4]))


def test_sizes_and_matrices_without_counts_are_left_out() -> None:
    counts = np.zeros((3, 2, 5), np.int64)
    counts[0, 1, 4] = 2
    counts[2, 0, 1] = 1
    found = matrix(counts)
    assert found.counts.tolist() == [[[0, 0], [0, 2]], [[1, 0], [0, 0]]]
    assert found.size.tolist() == [2, 5]
    assert found.level.tolist() == [1, 4]


def test_means_of_levels_and_sizes_are_worked_out_by_hand() -> None:
    # Level 1: one of size 1; level 4: two of size 1, one of size 3. N = 4.
    counts = np.zeros((1, 2, 3), np.int64)
    counts[0] = [[1, 0, 0], [2, 0, 1]]
    found = matrix(counts)
    by_hand = {
        m.small_emphasis: (3 + 1 / 9) / 4,
        m.large_emphasis: (3 + 9) / 4,
        m.low_level_emphasis: (1 + 3 / 16) / 4,
        m.high_level_emphasis: (1 + 48) / 4,
        m.small_low_emphasis: (1 + 2 / 16 + 1 / 144) / 4,
        m.small_high_emphasis: (1 + 32 + 16 / 9) / 4,
        m.large_low_emphasis: (1 + 2 / 16 + 9 / 16) / 4,
        m.large_high_emphasis: (1 + 32 + 144) / 4,
        m.level_nonuniformity: (1 + 9) / 4,
        m.level_nonuniformity_normalised: 10 / 16,
        m.size_nonuniformity: (9 + 1) / 4,
        m.size_nonuniformity_normalised: 10 / 16,
        m.percentage: 4 / 6,
        m.level_variance: 9 * (1 / 4) * (3 / 4),
        m.size_variance: 4 * (1 / 4) * (3 / 4),
        m.entropy: 1.5,
    }
    for formula, value in by_hand.items():
        assert formula(found) == pytest.approx([value], rel=1e-14), formula.__name__
