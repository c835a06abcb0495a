"""DICOM segmentations: highdicom reads the frames, positions say where they go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry
from hnmets.sources.dicom.careful import careful
from hnmets.sources.dicom.instance import require_readable_syntax
from hnmets.sources.dicom.rasterise import Rasterised

Affine = NDArray[np.floating[Any]]

# Of a voxel: segmentations are drawn on the CT's own grid, and their headers are text.
_OFF_GRID = 0.02


@dataclass(frozen=True, kw_only=True)
class Segments:
    """A segmentation whose file was read once.

    Parameters
    ----------
    fractional
        Whether voxels hold probabilities or occupancies, which a threshold decides about.
    """

    content: Any = field(repr=False)  # highdicom's Segmentation
    fractional: bool

    def mask(self, number: int, geometry: Geometry, *, threshold: float) -> Rasterised:
        """Return a segment on the grid of the CT; frames that were omitted are empty.

        Parameters
        ----------
        threshold
            Of a fractional segment: at least this part of the maximum is inside.

        Raises
        ------
        CaseError
            E_GEOM_MISMATCH where the segment's grid is not the CT's.
        """
        if not self._has_frames(number):
            return Rasterised(mask=np.zeros(geometry.shape, np.bool_))
        with careful(Code.GEOMETRY_MISMATCH, "the segment's frames are no regular grid"):
            volume = self.content.get_volume(
                segment_numbers=[number],
                combine_segments=False,
                rescale_fractional=True,
                allow_missing_positions=True,
            )
            values, affine = np.asarray(volume.array)[..., 0], np.asarray(volume.affine)
        inside = values >= threshold if self.fractional else values > 0
        return _placed(inside, affine, geometry)

    def _has_frames(self, number: int) -> bool:
        with careful(what="the segmentation's frames cannot be told apart"):
            if self.content.SegmentationType == "LABELMAP":
                return number in {int(item.SegmentNumber) for item in self.content.SegmentSequence}
            shared = self.content.get("SharedFunctionalGroupsSequence") or []
            frames = self.content.get("PerFrameFunctionalGroupsSequence") or []
            return number in {
                int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
                for group in (*frames, *shared)
                if "SegmentIdentificationSequence" in group
            }


def read_segments(path: Path) -> Segments:
    """Read a segmentation.

    Raises
    ------
    CaseError
        E_IMG_CORRUPT or E_DICOM_SYNTAX.
    """
    import pydicom
    from highdicom.seg import Segmentation

    with careful():
        require_readable_syntax(path)
        content = Segmentation.from_dataset(pydicom.dcmread(path), copy=False)
        fractional = str(content.SegmentationType) == "FRACTIONAL"
    return Segments(content=content, fractional=fractional)


def _placed(inside: NDArray[np.bool_], affine: Affine, geometry: Geometry) -> Rasterised:
    image = _affine_of(geometry)
    own = affine.copy()
    for axis in np.flatnonzero(np.array(inside.shape) == 1):
        # One image deep: its thickness says nothing about the grid.
        own[:3, axis] *= np.linalg.norm(image[:3, axis]) / np.linalg.norm(own[:3, axis])
    corners = _corners(np.linalg.solve(image, own), inside.shape)
    steps = np.linalg.solve(image, own)[:3, :3]
    axes = np.abs(steps).argmax(axis=0)
    if np.abs(corners - np.rint(corners)).max() > _OFF_GRID or len(set(axes)) < 3:
        raise CaseError(Code.GEOMETRY_MISMATCH, _difference(affine, geometry))
    backward = tuple(axis for axis in range(3) if steps[axes[axis], axis] < 0)
    turned = np.flip(inside, backward)
    turned = turned.transpose(np.argsort(axes))
    extent = np.rint(np.ptp(corners, axis=0)).astype(int) + 1
    if tuple(extent) != turned.shape:
        raise CaseError(Code.GEOMETRY_MISMATCH, _difference(affine, geometry))
    return _pasted(turned, np.rint(corners.min(axis=0)).astype(int), geometry)


def _affine_of(geometry: Geometry) -> Affine:
    """Return the 4 × 4 matrix from voxel (D, H, W) to LPS."""
    affine: Affine = np.eye(4)
    axes = np.reshape(geometry.direction, (3, 3)) * geometry.spacing_mm[::-1]
    affine[:3, :3] = axes[:, ::-1]
    affine[:3, 3] = geometry.origin_mm
    return affine


def _corners(matrix: Affine, shape: Sequence[int]) -> Affine:
    ends = np.array([(*corner, 1) for corner in product(*((0, n - 1) for n in shape))])
    return np.asarray((ends @ matrix.T)[:, :3])


def _difference(affine: Affine, geometry: Geometry) -> str:
    own = " × ".join(f"{length:g}" for length in np.linalg.norm(affine[:3, :3], axis=0))
    image = " × ".join(f"{length:g}" for length in geometry.spacing_mm)
    return f"the segment's voxels of {own} mm do not lie on the CT's of {image} mm"


def _pasted(inside: NDArray[np.bool_], first: NDArray[np.int_], geometry: Geometry) -> Rasterised:
    mask = np.zeros(geometry.shape, np.bool_)
    low = np.clip(first, 0, geometry.shape)
    high = np.clip(first + inside.shape, 0, geometry.shape)
    target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    source = tuple(slice(a, b) for a, b in zip(low - first, high - first, strict=True))
    mask[target] = inside[source]
    total = int(np.count_nonzero(inside))
    return Rasterised(
        mask=mask, share_lost=1 - int(np.count_nonzero(mask)) / total if total else 0.0
    )
