"""Grey level dependence matrix (GLDM): how many of 26 neighbours have a voxel's own level."""

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics import level_by_size as m
from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.extractors.fast_radiomics.neighbourhood import Texture


def dependence_counts(texture: Texture) -> NDArray[np.int64]:
    """Count the voxels of each level by their dependent neighbours, themselves included.

    Returns
    -------
    ndarray
        int64, shape (1, g, 27).
    """
    counts = np.zeros((1, texture.levels.present.size, 27), dtype=np.int64)
    _count(texture.grid, texture.region.voxels, texture.region.steps, counts[0])
    return counts


def dependence_of(texture: Texture) -> m.LevelBySize:
    """Return the matrix over the dependences that occur."""
    return m.level_by_size(dependence_counts(texture), texture.levels.present)


@compiled
def _count(
    grid: NDArray[np.uint16],
    voxels: NDArray[np.uint64],
    steps: NDArray[np.uint64],
    counts: NDArray[np.int64],
) -> None:
    # From the first to the last voxel, empty ones too: comparing all is quicker than choosing.
    first, last = voxels[0], voxels[-1] + np.uint64(1)
    voxel = grid[first:last]
    dependent = np.zeros(voxel.size, np.uint16)
    for a in range(steps.size):
        before = grid[first - steps[a] : last - steps[a]]
        after = grid[first + steps[a] : last + steps[a]]
        for i in range(voxel.size):
            dependent[i] += np.uint16(voxel[i] == before[i]) + np.uint16(voxel[i] == after[i])
    for n in range(voxels.size):
        counts[np.uint64(grid[voxels[n]]) - np.uint64(1), dependent[voxels[n] - first]] += 1


FEATURES = {
    "DependenceEntropy": m.entropy,
    "DependenceNonUniformity": m.size_nonuniformity,
    "DependenceNonUniformityNormalized": m.size_nonuniformity_normalised,
    "DependenceVariance": m.size_variance,
    "GrayLevelNonUniformity": m.level_nonuniformity,
    "GrayLevelVariance": m.level_variance,
    "HighGrayLevelEmphasis": m.high_level_emphasis,
    "LargeDependenceEmphasis": m.large_emphasis,
    "LargeDependenceHighGrayLevelEmphasis": m.large_high_emphasis,
    "LargeDependenceLowGrayLevelEmphasis": m.large_low_emphasis,
    "LowGrayLevelEmphasis": m.low_level_emphasis,
    "SmallDependenceEmphasis": m.small_emphasis,
    "SmallDependenceHighGrayLevelEmphasis": m.small_high_emphasis,
    "SmallDependenceLowGrayLevelEmphasis": m.small_low_emphasis,
}
