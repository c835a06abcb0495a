"""The regions of a case: drawn by a person, or derived from a drawn one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scalar = str | int | float | bool | None
Parts = Literal["union", "largest", "separate"]


@dataclass(frozen=True, kw_only=True)
class DrawnRegion:
    """A region that somebody contoured, found by file and label.

    Parameters
    ----------
    mask
        Path pattern with `{case}`, or the manifest column that holds the path.
    label
        Label number in the file; without it the file's single non-zero label.
    parts
        What to do with several disconnected parts: one region of all (`union`), the largest
        alone, or one row per part, largest first (`separate`).
    optional
        Whether a case may lack the region (no nodes); its features are then absent.
    minimum_voxels, minimum_slices
        Smaller regions are refused: texture needs extent.
    """

    mask: str
    label: int | None = None
    parts: Parts = "union"
    optional: bool = False
    minimum_voxels: int = 27
    minimum_slices: int = 2


@dataclass(frozen=True, kw_only=True)
class RingRegion:
    """Peritumoral ring: dilation of a region minus the region, in soft tissue of the body.

    Parameters
    ----------
    around
        Name of the drawn region.
    distance_mm
        Width of the ring.
    lowest_hu, highest_hu
        Voxels below are air, above are bone; both are left out.
    """

    around: str = "tumour"
    distance_mm: float = 5.0
    lowest_hu: float = -300.0
    highest_hu: float = 300.0

    def __post_init__(self) -> None:
        """Check that there can be any voxel in the ring."""
        if self.distance_mm <= 0:
            raise ValueError(f"`distance_mm` is {self.distance_mm:g}, must be above 0")
        if self.lowest_hu >= self.highest_hu:
            raise ValueError("`lowest_hu` must lie below `highest_hu`")


RegionRule = DrawnRegion | RingRegion


@dataclass(frozen=True, kw_only=True)
class Region:
    """The voxels of one region in one case.

    Parameters
    ----------
    name
        Name in the study file: tumour, nodes, ring, an organ.
    mask
        bool array (D, H, W) on the grid of the CT.
    part
        0 for the whole region, 1, 2, … for separate parts, largest first.
    flags
        What a person should know: label assumed, share of the ring lost, …
    """

    name: str
    mask: NDArray[np.bool_]
    part: int = 0
    flags: Mapping[str, Scalar] = field(default_factory=dict)
