"""The peritumoral ring: tissue around a region, without air and bone."""

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.domain.region import Region, RingRegion, Scalar
from hnmets.imaging.body import body_mask
from hnmets.imaging.box import Box, bounding_box, clipped
from hnmets.imaging.distance import ROUNDING, distances


def ring(rule: RingRegion, *, name: str, ct: Volume, around: Region) -> Region:
    """Dilate a region by a distance in mm and keep the soft tissue that is new.

    Parameters
    ----------
    ct
        HU, LPS orientation.
    around
        On the grid of the CT, not empty.

    Returns
    -------
    Region
        The part number of `around`; flags: the share of the full geometric ring that was lost
        to the border of the volume, to what is outside the body, to air and to bone inside
        it (share_lost_volume, _body, _air, _bone; each voxel counts once, in this order), and
        their sum, share_lost.

    Raises
    ------
    CaseError
        If nothing of the ring is left.
    """
    full, box = _full_ring(around.mask, rule.distance_mm, ct.geometry.spacing_mm)
    inside, in_volume = clipped(box, ct.geometry.shape)
    kept = full[in_volume]
    hu: NDArray[Any] = ct.voxels[inside]
    body = body_mask(ct, seed=around.mask, box=inside)
    n_full = int(np.count_nonzero(full))
    steps: list[NDArray[np.bool_]] = [
        kept,
        body,
        hu >= rule.lowest_hu,
        hu <= rule.highest_hu,
    ]
    flags, left = _losses(steps, n_full)
    if not left.any():
        raise CaseError(Code.REGION_EMPTY, f"region '{name}' is empty: {_text(flags)}")
    mask = np.zeros(ct.geometry.shape, bool)
    mask[inside] = left
    return Region(name=name, mask=mask, part=around.part, flags=flags)


def _full_ring(
    mask: NDArray[np.bool_], distance_mm: float, spacing_mm: tuple[float, float, float]
) -> tuple[NDArray[np.bool_], Box]:
    """Return the geometric ring in a box, which may reach beyond the volume."""
    tight = bounding_box(mask)
    if tight is None:
        raise CaseError(Code.REGION_EMPTY, "a ring needs a region that has voxels")
    # One more: thick slices are measured from near their surface, not from their centre.
    margins = [ceil(distance_mm / spacing) + 1 for spacing in spacing_mm]
    region = np.pad(mask[tight], [(margin, margin) for margin in margins])
    near = distances(region, spacing_mm) <= distance_mm * ROUNDING
    full: NDArray[np.bool_] = near & ~region
    if not full.any():
        raise CaseError(
            Code.REGION_EMPTY, f"a ring of {distance_mm:g} mm is thinner than one voxel"
        )
    d, h, w = (
        slice(side.start - margin, side.stop + margin)
        for side, margin in zip(tight, margins, strict=True)
    )
    return full, (d, h, w)


def _losses(
    steps: list[NDArray[np.bool_]], n_full: int
) -> tuple[dict[str, Scalar], NDArray[np.bool_]]:
    """Apply the limits one after another and note what each takes from the full ring."""
    flags: dict[str, Scalar] = {}
    left = np.ones_like(steps[0])
    n_left = n_full
    for cause, limit in zip(("volume", "body", "air", "bone"), steps, strict=True):
        left = left & limit
        n_now = int(np.count_nonzero(left))
        flags[f"share_lost_{cause}"] = (n_left - n_now) / n_full
        n_left = n_now
    flags["share_lost"] = (n_full - n_left) / n_full
    return flags, left


def _text(flags: dict[str, Scalar]) -> str:
    return ", ".join(f"{flag} {share:.0%}" for flag, share in flags.items())
