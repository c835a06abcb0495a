"""One axial slice of a case, cut to its regions: enough to see where the masks lie."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.case import ImagedCase

_MARGIN_MM = 15.0


@dataclass(frozen=True, kw_only=True)
class RegionSlice:
    """The slice in which the first region is largest, cut to the regions and a margin.

    A whole head slice would show a face; this never shows more than the regions' surroundings.

    Parameters
    ----------
    hu
        Array (H, W), HU.
    masks
        bool arrays (H, W) by region.
    spacing_mm
        Voxel size along (H, W), mm.
    number
        Index of the slice, counted from the feet.
    """

    case_id: str
    hu: NDArray[np.generic]
    masks: Mapping[str, NDArray[np.bool_]]
    spacing_mm: tuple[float, float]
    number: int


def region_slice(case: ImagedCase) -> RegionSlice:
    """Cut the slice with the largest area of the case's first region."""
    masks = {
        name: np.any([region.mask for region in regions], axis=0)
        for name, regions in case.regions.items()
        if regions
    }
    first = next(iter(masks.values()))
    number = int(np.argmax(np.count_nonzero(first, axis=(1, 2))))
    shown = {name: mask[number] for name, mask in masks.items()}
    spacing_mm = case.ct.geometry.spacing_mm[1:]
    rows, columns = _window(np.any(list(shown.values()), axis=0), spacing_mm)
    return RegionSlice(
        case_id=case.case_id,
        hu=case.ct.voxels[number, rows, columns].copy(),
        masks={name: mask[rows, columns].copy() for name, mask in shown.items()},
        spacing_mm=spacing_mm,
        number=number,
    )


def _window(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...]) -> tuple[slice, slice]:
    sides = []
    for axis, step_mm in enumerate(spacing_mm):
        inside = np.flatnonzero(mask.any(axis=1 - axis))
        margin = round(_MARGIN_MM / step_mm)
        sides.append(slice(max(int(inside[0]) - margin, 0), int(inside[-1]) + margin + 1))
    return sides[0], sides[1]
