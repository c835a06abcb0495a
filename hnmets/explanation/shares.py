"""Where an attribution map has its weight: inside the tumour, in its rim, or elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.imaging.distance import ROUNDING, distances

RIM_MM = 10.0
# More of a map than this outside tumour and rim is a shortcut until somebody explains it.
_MOST_OUTSIDE = 0.5


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the absolute attribution; they sum to 1.

    Parameters
    ----------
    inside
        In the tumour.
    rim
        Within 1 cm of it.
    outside
        In the rest of the crop.
    voxels_outside
        Share of the crop's voxels that lie outside: what a map would have that looks nowhere.
    """

    inside: float
    rim: float
    outside: float
    voxels_outside: float

    @property
    def flagged(self) -> bool:
        """Whether most of the map lies where no tumour is."""
        return self.outside > _MOST_OUTSIDE


def shares(
    attribution: NDArray[np.floating], *, tumour: NDArray[np.bool_], spacing_mm: float
) -> Shares | None:
    """Divide a map between tumour, rim and the rest.

    Parameters
    ----------
    attribution
        float (D, H, W).
    tumour
        bool (D, H, W), not empty.
    spacing_mm
        Edge of the voxels.

    Returns
    -------
    Shares
        None where the map is 0 everywhere: it has no weight to divide.
    """
    weight = np.abs(attribution).astype(np.float64)
    total = float(weight.sum())
    if total == 0:
        return None
    near = distances(tumour, (spacing_mm,) * 3) <= RIM_MM * ROUNDING
    rim = near & ~tumour
    return Shares(
        inside=float(weight[tumour].sum()) / total,
        rim=float(weight[rim].sum()) / total,
        outside=float(weight[~near].sum()) / total,
        voxels_outside=float((~near).mean()),
    )
