"""From label maps to the regions of a case, by the rules of the study."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code, InvalidDataError
from hnmets.domain.geometry import Volume
from hnmets.domain.region import DrawnRegion, Region, RegionRule, RingRegion, Scalar
from hnmets.imaging.box import bounding_box
from hnmets.imaging.grid import snap
from hnmets.imaging.intensity_flags import NAMES, intensity_flags
from hnmets.imaging.parts import connected_parts
from hnmets.imaging.ring import ring

Redraw = Callable[[str, NDArray[np.bool_]], NDArray[np.bool_]]
"""From a region's name and mask to the mask that somebody else would have drawn."""


def build_regions(
    rules: Mapping[str, RegionRule],
    *,
    ct: Volume,
    labelmaps: Mapping[str, Volume],
    redraw: Redraw | None = None,
) -> dict[str, tuple[Region, ...]]:
    """Draw every region of a case, then the rings around them.

    Parameters
    ----------
    rules
        By region name.
    ct
        HU, LPS orientation.
    labelmaps
        Label map of each drawn region, LPS orientation; absent where the case has no file.
    redraw
        Changes each drawn mask before its parts are told apart and rings are laid around it.

    Returns
    -------
    dict
        In the order of the rules; an optional region that the case lacks is an empty tuple,
        and so are rings around it. A ring around separate parts is one ring per part.

    Raises
    ------
    CaseError
        If a label map does not fit the CT or a region cannot be drawn.
    InvalidDataError
        If a ring lies around something that is not a drawn region.
    """
    drawn = {
        name: _drawn(name, rule, ct=ct, labelmap=labelmaps.get(name), redraw=redraw)
        for name, rule in rules.items()
        if isinstance(rule, DrawnRegion)
    }
    return {
        name: _rings(name, rule, ct=ct, drawn=drawn)
        if isinstance(rule, RingRegion)
        else drawn[name]
        for name, rule in rules.items()
    }


def reflagged(
    regions: Mapping[str, tuple[Region, ...]], ct: Volume
) -> dict[str, tuple[Region, ...]]:
    """Return regions with the intensity flags of another CT on the same grid."""
    return {
        name: tuple(
            replace(
                part,
                flags={flag: value for flag, value in part.flags.items() if flag not in NAMES}
                | intensity_flags(ct.voxels[part.mask]),
            )
            for part in parts
        )
        for name, parts in regions.items()
    }


def draw(
    rule: DrawnRegion, *, name: str, labelmap: Volume, redraw: Redraw | None = None
) -> tuple[Region, ...]:
    """Take one region out of a label map.

    Returns
    -------
    tuple
        One region, or one per part, largest first; empty where an optional region is absent.

    Raises
    ------
    CaseError
        If the label cannot be told, or the region is empty or too small.
    """
    mask, flags = _labelled(rule, name=name, voxels=labelmap.voxels)
    if mask is not None and redraw is not None:
        mask, flags = _redrawn(rule, name=name, mask=mask, flags=flags, redraw=redraw)
    if mask is None:
        return ()
    if rule.parts == "separate":
        return _separate(rule, name=name, mask=mask, flags=flags)
    parts = connected_parts(mask)
    if len(parts) > 1:
        flags["parts"] = len(parts)
    if rule.parts == "largest" and len(parts) > 1:
        flags["share_in_other_parts"] = 1 - np.count_nonzero(parts[0]) / np.count_nonzero(mask)
        mask = parts[0]
    if problem := _too_small(rule, mask):
        raise CaseError(Code.REGION_SMALL, f"region '{name}' {problem}")
    return (Region(name=name, mask=mask, flags=flags),)


def _drawn(
    name: str,
    rule: DrawnRegion,
    *,
    ct: Volume,
    labelmap: Volume | None,
    redraw: Redraw | None,
) -> tuple[Region, ...]:
    if labelmap is None:
        if rule.optional:
            return ()
        raise CaseError(Code.IMAGE_MISSING, f"region '{name}' has no mask file")
    snapped, flags = snap(labelmap, ct.geometry)
    return tuple(
        replace(region, flags=flags | _flags(region, ct))
        for region in draw(rule, name=name, labelmap=snapped, redraw=redraw)
    )


def _flags(region: Region, ct: Volume) -> dict[str, Scalar]:
    return {**region.flags, **intensity_flags(ct.voxels[region.mask])}


def _rings(
    name: str, rule: RingRegion, *, ct: Volume, drawn: Mapping[str, tuple[Region, ...]]
) -> tuple[Region, ...]:
    if rule.around not in drawn:
        raise InvalidDataError(
            f"region '{name}' lies around '{rule.around}', which is not drawn; "
            f"drawn are: {', '.join(drawn) or 'none'}"
        )
    rings = (ring(rule, name=name, ct=ct, around=region) for region in drawn[rule.around])
    return tuple(replace(region, flags=_flags(region, ct)) for region in rings)


def _labelled(
    rule: DrawnRegion, *, name: str, voxels: NDArray[np.generic]
) -> tuple[NDArray[np.bool_] | None, dict[str, Scalar]]:
    """Find the region's voxels; None where an optional region has none."""
    box = bounding_box(voxels)
    if box is None:
        if rule.optional:
            return None, {}
        raise CaseError(Code.REGION_EMPTY, f"region '{name}': its mask holds no voxel")
    if rule.label is None:
        label, flags = _only_label(name, voxels[box])
    else:
        label, flags = rule.label, {}
    mask = np.zeros(voxels.shape, bool)
    mask[box] = voxels[box] == label
    if rule.label is not None and not mask[box].any():
        if rule.optional:
            return None, {}
        found = _listed(_labels(voxels[box]))
        raise CaseError(
            Code.MASK_LABEL, f"region '{name}' is label {label}, the mask holds {found}"
        )
    return mask, flags


def _redrawn(
    rule: DrawnRegion,
    *,
    name: str,
    mask: NDArray[np.bool_],
    flags: dict[str, Scalar],
    redraw: Redraw,
) -> tuple[NDArray[np.bool_] | None, dict[str, Scalar]]:
    """Redraw a mask and count the voxels; None where nothing of an optional region is left."""
    redrawn = redraw(name, mask)
    if redrawn.any():
        added = int(np.count_nonzero(redrawn & ~mask))
        removed = int(np.count_nonzero(mask & ~redrawn))
        return redrawn, {**flags, "voxels_added": added, "voxels_removed": removed}
    if rule.optional:
        return None, {}
    raise CaseError(Code.REGION_EMPTY, f"region '{name}': redrawn, it holds no voxel")


def _only_label(name: str, voxels: NDArray[np.generic]) -> tuple[int, dict[str, Scalar]]:
    labels = _labels(voxels)
    if len(labels) > 1:
        raise CaseError(
            Code.MASK_LABEL,
            f"region '{name}' names no label, the mask holds {_listed(labels)}",
        )
    # 1 is what a mask of one region holds anyway; anything else a person should see.
    return labels[0], {} if labels[0] == 1 else {"label_assumed": labels[0]}


def _labels(voxels: NDArray[np.generic]) -> list[int]:
    return [int(label) for label in np.unique(voxels) if label != 0]


def _listed(labels: list[int]) -> str:
    shown = ", ".join(str(label) for label in labels[:20])
    more = f" and {len(labels) - 20} more" if len(labels) > 20 else ""
    return f"label{'s' if len(labels) > 1 else ''} {shown}{more}"


def _separate(
    rule: DrawnRegion, *, name: str, mask: NDArray[np.bool_], flags: dict[str, Scalar]
) -> tuple[Region, ...]:
    """Keep every part that is large enough, and count the others."""
    parts = connected_parts(mask)
    kept = [part for part in parts if not _too_small(rule, part)]
    if not kept:
        problem = _too_small(rule, parts[0])
        raise CaseError(Code.REGION_SMALL, f"the largest part of region '{name}' {problem}")
    if len(kept) < len(parts):
        flags = {**flags, "parts_too_small": len(parts) - len(kept)}
    return tuple(
        Region(name=name, mask=part, part=number, flags=flags)
        for number, part in enumerate(kept, start=1)
    )


def _too_small(rule: DrawnRegion, mask: NDArray[np.bool_]) -> str:
    """Say what is too small about a mask; empty where nothing is."""
    box = bounding_box(mask)
    extent = tuple(side.stop - side.start for side in box) if box else (0, 0, 0)
    voxels = int(np.count_nonzero(mask))
    if voxels >= rule.minimum_voxels and min(extent) >= rule.minimum_slices:
        return ""
    size = " × ".join(str(n) for n in reversed(extent))
    return (
        f"holds {voxels} voxels in a box of {size}; wanted are at least "
        f"{rule.minimum_voxels} voxels and {rule.minimum_slices} along each axis"
    )
