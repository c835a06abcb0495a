"""Grey level run length matrix (GLRLM): straight runs of one level, in 13 directions."""

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics import level_by_size as m
from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.extractors.fast_radiomics.neighbourhood import Texture


def run_length_counts(texture: Texture) -> NDArray[np.int64]:
    """Count the runs of each level and length.

    Returns
    -------
    ndarray
        int64, shape (13, g, longest possible run). Directions along which no line meets the
        region twice are empty, as in PyRadiomics.
    """
    longest = max(texture.region.shape) - 2
    counts = np.zeros(
        (texture.region.steps.size, texture.levels.present.size, longest), dtype=np.int64
    )
    counts[:, :, 0] = texture.levels.counts
    _count(texture.grid, texture.alike, texture.region.voxels, texture.region.steps, counts)
    counts[~texture.region.lines] = 0
    return counts


def run_length_of(texture: Texture) -> m.LevelBySize:
    """Return the runs of every direction that has any."""
    return m.level_by_size(run_length_counts(texture), texture.levels.present)


@compiled
def _count(
    grid: NDArray[np.uint16],
    alike: NDArray[np.uint16],
    voxels: NDArray[np.uint64],
    steps: NDArray[np.uint64],
    counts: NDArray[np.int64],
) -> None:
    """Count runs in one sweep; `counts` comes with the voxels of each level in place 0.

    A voxel has place r in its run where its neighbour has place r − 1, and there are as many
    voxels in place r as runs that long or longer.
    """
    n_directions = steps.size
    position = np.zeros((grid.size, n_directions), np.uint16)
    for n in range(voxels.size):
        if alike[n] == 0:
            continue
        rank = np.uint64(grid[voxels[n]]) - np.uint64(1)
        for a in range(n_directions):
            longer = np.uint16(alike[n] >> a & 1)
            run = (position[voxels[n] - steps[a], a] + np.uint16(1)) * longer
            position[voxels[n], a] = run
            counts[a, rank, run] += longer
    for a in range(n_directions):
        for level in range(counts.shape[1]):
            _exact(counts[a, level])


@compiled
def _exact(counts: NDArray[np.int64]) -> None:
    """Turn voxels by their place in a run into runs by their length."""
    for place in range(1, counts.size):
        counts[0] -= counts[place]
    for place in range(counts.size - 1):
        counts[place] -= counts[place + 1]


FEATURES = {
    "GrayLevelNonUniformity": m.level_nonuniformity,
    "GrayLevelNonUniformityNormalized": m.level_nonuniformity_normalised,
    "GrayLevelVariance": m.level_variance,
    "HighGrayLevelRunEmphasis": m.high_level_emphasis,
    "LongRunEmphasis": m.large_emphasis,
    "LongRunHighGrayLevelEmphasis": m.large_high_emphasis,
    "LongRunLowGrayLevelEmphasis": m.large_low_emphasis,
    "LowGrayLevelRunEmphasis": m.low_level_emphasis,
    "RunEntropy": m.entropy,
    "RunLengthNonUniformity": m.size_nonuniformity,
    "RunLengthNonUniformityNormalized": m.size_nonuniformity_normalised,
    "RunPercentage": m.percentage,
    "RunVariance": m.size_variance,
    "ShortRunEmphasis": m.small_emphasis,
    "ShortRunHighGrayLevelEmphasis": m.small_high_emphasis,
    "ShortRunLowGrayLevelEmphasis": m.small_low_emphasis,
}
