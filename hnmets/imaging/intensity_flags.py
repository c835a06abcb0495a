"""What a person should know about the HU inside a region."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.region import Scalar

_AIR_HU = -500
_SATURATED_HU = 3071
# Below the bin width of the radiomics every voxel falls into one bin: texture says nothing.
_FLAT_HU = 25
_SHARE_WORTH_A_LINE = 0.01

NAMES = frozenset({"range_hu", "share_air", "share_saturated"})


def intensity_flags(hu: NDArray[Any]) -> dict[str, Scalar]:
    """Flag a region that is flat, lies partly in air, or is full of metal.

    Parameters
    ----------
    hu
        The region's voxels, any shape, not empty.

    Returns
    -------
    dict
        range_hu where it is under 25 HU; share_air (under −500 HU) and share_saturated
        (3071 HU, the end of the scale) where they reach 1 %.
    """
    span = float(hu.max()) - float(hu.min())
    shares = {
        "share_air": np.mean(hu < _AIR_HU),
        "share_saturated": np.mean(hu >= _SATURATED_HU),
    }
    flags: dict[str, Scalar] = {"range_hu": span} if span < _FLAT_HU else {}
    return flags | {
        name: float(share) for name, share in shares.items() if share >= _SHARE_WORTH_A_LINE
    }
