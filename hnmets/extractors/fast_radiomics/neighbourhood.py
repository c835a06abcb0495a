"""A region as texture sees it: its voxels in a frame of empty ones, and the 13 directions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.extractors.fast_radiomics.discretisation import Levels

# One of each pair of opposite neighbours, (D, H, W), all of them earlier in memory.
DIRECTIONS = (
    (0, 0, -1),
    (0, -1, -1),
    (0, -1, 0),
    (0, -1, 1),
    (-1, -1, -1),
    (-1, -1, 0),
    (-1, -1, 1),
    (-1, 0, -1),
    (-1, 0, 0),
    (-1, 0, 1),
    (-1, 1, -1),
    (-1, 1, 0),
    (-1, 1, 1),
)


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """The voxels of a region and their neighbours.

    Parameters
    ----------
    shape
        (D, H, W) of the smallest box with a frame of one empty voxel.
    voxels
        uint64, shape (n,): position of each voxel in the framed box, ascending.
    steps
        uint64, shape (13,): how far before a voxel its neighbour in each direction stands.
    lines
        bool, shape (13,): whether any line of voxels along the direction meets the region
        twice. PyRadiomics leaves out the run lengths of the other directions.
    """

    shape: tuple[int, int, int]
    voxels: NDArray[np.uint64]
    steps: NDArray[np.uint64]
    lines: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Texture:
    """A region and the grey levels of its voxels: what every texture matrix counts."""

    region: Neighbourhood
    levels: Levels

    @cached_property
    def grid(self) -> NDArray[np.uint16]:
        """Ranks of the levels in the framed box, flat; 0 outside of the region."""
        grid = np.zeros(int(np.prod(self.region.shape)), dtype=np.uint16)
        grid[self.region.voxels] = self.levels.rank
        return grid

    @cached_property
    def alike(self) -> NDArray[np.uint16]:
        """Shape (n,): bit a is set where the neighbour in direction a has the voxel's level."""
        alike = np.empty(self.region.voxels.size, dtype=np.uint16)
        _compare(self.grid, self.region.voxels, self.region.steps, alike)
        return alike


def neighbourhood_of(mask: NDArray[np.bool_]) -> Neighbourhood:
    """Frame a region.

    Parameters
    ----------
    mask
        (D, H, W), cropped to the region.
    """
    framed = np.pad(mask, 1)
    d, h, w = framed.shape
    steps = [-(dz * h * w + dy * w + dx) for dz, dy, dx in DIRECTIONS]
    return Neighbourhood(
        shape=(d, h, w),
        # Unsigned: numba then does not look for negative indices, which count from the end.
        voxels=np.flatnonzero(framed).astype(np.uint64),
        steps=np.array(steps, dtype=np.uint64),
        lines=np.array([_meets_twice(mask, *direction) for direction in DIRECTIONS]),
    )


@compiled
def _meets_twice(mask: NDArray[np.bool_], dz: int, dy: int, dx: int) -> bool:
    """Whether some line along a direction holds two voxels of the region, gaps allowed."""
    depth, height, width = mask.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if mask[z, y, x]:
                    a, b, c = z + dz, y + dy, x + dx
                    while 0 <= a < depth and 0 <= b < height and 0 <= c < width:
                        if mask[a, b, c]:
                            return True
                        a, b, c = a + dz, b + dy, c + dx
    return False


@compiled
def _compare(
    grid: NDArray[np.uint16],
    voxels: NDArray[np.uint64],
    steps: NDArray[np.uint64],
    alike: NDArray[np.uint16],
) -> None:
    # From the first to the last voxel, empty ones too: comparing all is quicker than choosing.
    first, last = voxels[0], voxels[-1] + np.uint64(1)
    voxel = grid[first:last]
    bits = np.zeros(voxel.size, np.uint16)
    for a in range(steps.size):
        before = grid[first - steps[a] : last - steps[a]]
        for i in range(voxel.size):
            bits[i] |= np.uint16(voxel[i] == before[i]) << a
    for n in range(voxels.size):
        alike[n] = bits[voxels[n] - first]
