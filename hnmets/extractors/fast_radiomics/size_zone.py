"""Grey level size zone matrix (GLSZM): connected zones of one level, 26 neighbours."""

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics import level_by_size as m
from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.extractors.fast_radiomics.neighbourhood import Texture

# Places in DIRECTIONS: (-1, 0, 0), (0, -1, 0), and where (-1, 1, …) begins.
_BELOW, _IN_FRONT, _BEHIND_BELOW = 8, 2, 10


def zones(texture: Texture) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find all zones.

    Returns
    -------
    rank, size, count
        int64: of each kind of zone the position of its level in `levels.present`, its voxels,
        and how many there are; ascending by rank, then size.
    """
    zone = np.empty(texture.region.voxels.size, dtype=np.int64)
    n_zones = _zones(
        texture.grid, texture.alike, texture.region.voxels, texture.region.steps, zone
    )
    kinds, counts = np.unique(zone[:n_zones], return_counts=True)
    stride = texture.region.voxels.size + 1
    return kinds // stride - 1, kinds % stride, counts


def size_zone_of(texture: Texture) -> m.LevelBySize:
    """Return the matrix over the sizes that occur."""
    rank, size, count = zones(texture)
    sizes, column = np.unique(size, return_inverse=True)
    counts = np.zeros((1, texture.levels.present.size, sizes.size))
    counts[0, rank, column] = count
    return m.LevelBySize(
        counts=counts,
        level=texture.levels.present.astype(np.float64),
        size=sizes.astype(np.float64),
    )


@compiled
def _zones(
    grid: NDArray[np.uint16],
    alike: NDArray[np.uint16],
    voxels: NDArray[np.uint64],
    steps: NDArray[np.uint64],
    zone: NDArray[np.int64],
) -> int:
    """Join neighbours of one level by union-find; write rank × (n + 1) + size of each zone."""
    parent = np.empty(grid.size, np.uint32)
    size = np.zeros(grid.size, np.uint32)
    for n in range(voxels.size):
        parent[voxels[n]] = voxels[n]
        if alike[n]:
            _join_earlier(parent, voxels[n], alike[n], steps)
    for n in range(voxels.size):
        size[_root(parent, voxels[n])] += 1
    n_zones = 0
    for n in range(voxels.size):
        if size[voxels[n]]:
            zone[n_zones] = np.int64(grid[voxels[n]]) * (voxels.size + 1) + size[voxels[n]]
            n_zones += 1
    return n_zones


@compiled
def _join_earlier(
    parent: NDArray[np.uint32], voxel: np.uint64, alike: np.uint16, steps: NDArray[np.uint64]
) -> None:
    """Join a voxel with its earlier neighbours of the same level.

    Neighbours of each other are in one zone already. The voxel below touches all other earlier
    ones; the one in front all but those behind and below.
    """
    if alike >> _BELOW & 1:
        _join(parent, voxel, voxel - steps[_BELOW])
        return
    in_front = alike >> _IN_FRONT & 1
    if in_front:
        _join(parent, voxel, voxel - steps[_IN_FRONT])
    for a in range(_BEHIND_BELOW if in_front else 0, steps.size):
        if alike >> a & 1:
            _join(parent, voxel, voxel - steps[a])


@compiled
def _join(parent: NDArray[np.uint32], voxel: np.uint64, other: np.uint64) -> None:
    """Make the first voxel of both zones the root of one."""
    a, b = _root(parent, voxel), _root(parent, other)
    parent[max(a, b)] = min(a, b)


@compiled
def _root(parent: NDArray[np.uint32], voxel: np.uint64) -> np.uint64:
    """Return a zone's first voxel, and shorten the way to it for the next who asks."""
    while parent[voxel] != voxel:
        parent[voxel] = parent[parent[voxel]]
        voxel = np.uint64(parent[voxel])
    return voxel


FEATURES = {
    "GrayLevelNonUniformity": m.level_nonuniformity,
    "GrayLevelNonUniformityNormalized": m.level_nonuniformity_normalised,
    "GrayLevelVariance": m.level_variance,
    "HighGrayLevelZoneEmphasis": m.high_level_emphasis,
    "LargeAreaEmphasis": m.large_emphasis,
    "LargeAreaHighGrayLevelEmphasis": m.large_high_emphasis,
    "LargeAreaLowGrayLevelEmphasis": m.large_low_emphasis,
    "LowGrayLevelZoneEmphasis": m.low_level_emphasis,
    "SizeZoneNonUniformity": m.size_nonuniformity,
    "SizeZoneNonUniformityNormalized": m.size_nonuniformity_normalised,
    "SmallAreaEmphasis": m.small_emphasis,
    "SmallAreaHighGrayLevelEmphasis": m.small_high_emphasis,
    "SmallAreaLowGrayLevelEmphasis": m.small_low_emphasis,
    "ZoneEntropy": m.entropy,
    "ZonePercentage": m.percentage,
    "ZoneVariance": m.size_variance,
}
