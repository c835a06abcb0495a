"""A patient's CT and masks, read as planned and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.domain.region import Scalar
from hnmets.sources.dicom.contours import StructureSet, read_structures
from hnmets.sources.dicom.ct import ReadCt, hu_doubts, read_slices, slices_of
from hnmets.sources.dicom.kind import Kind
from hnmets.sources.dicom.plan import Drawing, Plan
from hnmets.sources.dicom.rasterise import Rasterised, rasterise
from hnmets.sources.dicom.region_rules import RegionRules
from hnmets.sources.dicom.segmentation import Segments, read_segments
from hnmets.sources.dicom.uneven import even_ct, even_distances, even_mask
from hnmets.sources.hounsfield import HIGHEST_HU
from hnmets.sources.scaling import Numbers

Mask = NDArray[np.bool_]
Flags = dict[str, Scalar]


@dataclass(frozen=True, kw_only=True)
class DrawnPatient:
    """What was read of a patient.

    Parameters
    ----------
    ct
        HU, not clipped.
    masks
        bool (D, H, W) by role, none of them empty.
    flags
        What was let pass, for `image` and for each role.
    """

    ct: Volume
    masks: Mapping[str, Mask]
    flags: Mapping[str, Flags] = field(default_factory=dict)


def draw(plan: Plan, rules: RegionRules, *, memory_gib: float) -> DrawnPatient:
    """Read CT and masks of a patient.

    Raises
    ------
    CaseError
        If the CT is no volume that can be trusted, or a region is not what its contours say.
    """
    slices = slices_of(plan.ct)
    if len(slices.files) < rules.geometry.minimum_slices:
        raise CaseError(Code.IMAGE_SHAPE, f"the CT has {len(slices.files)} slices")
    if slices.stack.uneven is not None and rules.geometry.uneven == "refuse":
        raise slices.stack.uneven
    read = read_slices(slices, memory_gib=memory_gib)
    image_flags = {**plan.flags, **read.flags, **_doubts(read.volume, rules)}
    if any(instance.acquisition.lossy for instance in plan.ct):
        image_flags["lossy_compression"] = True
    brush = _Brush(read, rules)
    masks: dict[str, Mask] = {}
    flags: dict[str, Flags] = {}
    for role, drawings in plan.drawings.items():
        mask, flags[role] = brush.role(role, drawings)
        if mask is not None:
            masks[role] = mask
    ct = read.volume
    if read.uneven is not None:
        image_flags["resampled"] = read.uneven.detail
        even = even_distances(read.distances_mm)
        ct = even_ct(ct, read.distances_mm, even)
        pixel_mm = ct.geometry.spacing_mm[1:]
        masks = {
            role: even_mask(mask, read.distances_mm, even, pixel_mm)
            for role, mask in masks.items()
        }
    return DrawnPatient(ct=ct, masks=masks, flags={"image": image_flags, **flags})


def _doubts(ct: Volume, rules: RegionRules) -> Flags:
    reasons = hu_doubts(ct.voxels)
    if reasons and rules.hounsfield.suspect == "refuse":
        raise CaseError(Code.HU_RANGE, "; ".join(reasons))
    return {"hu_suspect": "; ".join(reasons)} if reasons else {}


class _Brush:
    """Makes masks of drawings; reads each structure set and segmentation once."""

    def __init__(self, ct: ReadCt, rules: RegionRules) -> None:
        self._ct = ct
        self._hu: Numbers = ct.volume.voxels
        self._rules = rules
        self._structures: dict[Path, StructureSet] = {}
        self._segments: dict[Path, Segments] = {}

    def role(self, role: str, drawings: Sequence[Drawing]) -> tuple[Mask | None, Flags]:
        """Return the mask of a role; None where an optional one has no voxels."""
        flags: Flags = {}
        parts = [self._drawn(role, drawing, flags) for drawing in drawings]
        mask = self._joined(role, parts)
        if len(drawings) > 1:
            flags[self._rules.roles[role].several] = ", ".join(d.shown for d in drawings)
        if not mask.any():
            if self._rules.roles[role].required:
                raise CaseError(Code.REGION_EMPTY, f"the {role} has no voxels: {_why(flags)}")
            return None, flags | {"empty": True}
        saturated = float(np.greater_equal(self._hu[mask], HIGHEST_HU).mean())
        if saturated > 0:
            flags["share_saturated"] = saturated
        return mask, flags

    def _joined(self, role: str, parts: Sequence[Mask]) -> Mask:
        if self._rules.roles[role].several == "largest":
            return max(parts, key=lambda part: int(np.count_nonzero(part)))
        joined = parts[0]
        for part in parts[1:]:
            joined = joined | part
        return joined

    def _drawn(self, role: str, drawing: Drawing, flags: Flags) -> Mask:
        segmented = drawing.source.kind is Kind.SEGMENTATION
        found = self._segment(drawing, flags) if segmented else self._contoured(drawing, flags)
        if found.share_lost > self._rules.geometry.largest_share_lost:
            raise CaseError(
                Code.STRUCTURE_OUTSIDE,
                f"{found.share_lost:.0%} of the {role} lie outside of the CT"
                + (f"; {found.slanted} contours lie in no slice" if found.slanted else ""),
            )
        numbers = {
            "share_lost": found.share_lost,
            "contours_between_slices": found.off_plane,
            "contours_in_no_slice": found.slanted,
            "slices_not_drawn": found.undrawn_slices,
        }
        _add(flags, numbers)
        return found.mask

    def _contoured(self, drawing: Drawing, flags: Flags) -> Rasterised:
        path = drawing.source.path
        if path not in self._structures:
            self._structures[path] = read_structures(path)
        contours = self._structures[path].contours(drawing.region.number)
        _add(flags, {"contours_enclosing_nothing": contours.ignored})
        return rasterise(contours.polygons, self._ct.volume.geometry, self._ct.distances_mm)

    def _segment(self, drawing: Drawing, flags: Flags) -> Rasterised:
        path = drawing.source.path
        if self._ct.uneven is not None:
            raise CaseError(Code.GEOMETRY_MISMATCH, "a segmentation of a CT with uneven slices")
        if path not in self._segments:
            self._segments[path] = read_segments(path)
        segments = self._segments[path]
        threshold = self._rules.segmentation.threshold
        if segments.fractional:
            flags["threshold"] = threshold
        found = segments.mask(drawing.region.number, self._ct.volume.geometry, threshold=threshold)
        # Frames without a voxel may be left out: a slice that is not drawn means nothing here.
        return replace(found, undrawn_slices=0)


def _add(flags: Flags, numbers: Mapping[str, float]) -> None:
    """Add what several parts of a role have met; of shares the largest counts."""
    for name, number in numbers.items():
        if not number:
            continue
        before = flags.get(name, 0)
        known = before if isinstance(before, int | float) else 0
        flags[name] = max(known, number) if name.startswith("share") else known + number


def _why(flags: Flags) -> str:
    told = [f"{name.replace('_', ' ')} {value}" for name, value in flags.items()]
    return ", ".join(told) or "nothing was drawn"
