"""The contours of a structure set, in patient coordinates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.dicom.careful import careful
from hnmets.sources.dicom.instance import require_readable_syntax

Dataset = Any  # pydicom's datasets answer with whatever the file holds

_UNDEFINED = 0xFFFFFFFF
_CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"})


@dataclass(frozen=True, kw_only=True)
class Contours:
    """The closed contours of one region.

    Parameters
    ----------
    polygons
        Each (points, 3): x, y, z, LPS, mm.
    ignored
        How many contours enclose nothing: single points, lines, open ones.
    """

    polygons: tuple[NDArray[np.float64], ...]
    ignored: int = 0


@dataclass(frozen=True, kw_only=True)
class StructureSet:
    """A structure set whose file was read once; contours are parsed when asked for."""

    items: Mapping[int, Sequence[Dataset]] = field(repr=False)

    def contours(self, number: int) -> Contours:
        """Return a region's contours; none where it was named and never drawn.

        Raises
        ------
        CaseError
            E_IMG_CORRUPT where coordinates are no numbers, or no triples.
        """
        polygons: list[NDArray[np.float64]] = []
        ignored = 0
        with careful(what="contours cannot be read"):
            for item in self.items.get(number, ()):
                points = _points(item)
                closed = str(item.get("ContourGeometricType", "")).strip() in _CLOSED
                if closed and len(np.unique(points, axis=0)) >= 3:
                    polygons.append(points)
                else:
                    ignored += 1
        return Contours(polygons=tuple(polygons), ignored=ignored)


def read_structures(path: Path) -> StructureSet:
    """Read a structure set.

    Raises
    ------
    CaseError
        E_IMG_CORRUPT or E_DICOM_SYNTAX.
    """
    import pydicom

    with careful():
        require_readable_syntax(path)
        content = pydicom.dcmread(path, force=True)
        _require_whole(content)
        items: dict[int, list[Dataset]] = {}
        for region in content.get("ROIContourSequence") or ():
            number = int(region.get("ReferencedROINumber", -1))
            items.setdefault(number, []).extend(region.get("ContourSequence") or ())
    return StructureSet(items=items)


def _require_whole(content: Dataset) -> None:
    """Refuse a file that was cut: pydicom returns what it got until the end of the file."""
    if "ROIContourSequence" not in content:
        raise CaseError(Code.IMAGE_CORRUPT, "the structure set ends before its contours")
    raw = content.get_item("ROIContourSequence")
    promised = getattr(raw, "length", _UNDEFINED)
    if promised not in {None, _UNDEFINED} and len(raw.value or b"") < promised:
        raise CaseError(Code.IMAGE_CORRUPT, "the structure set ends among its contours")


def _points(item: Dataset) -> NDArray[np.float64]:
    values = np.empty(0)
    if "ContourData" in item:
        raw = item.get_item("ContourData").value
        # Text is parsed here: pydicom makes an object of each of the half million numbers.
        parts = raw.split(b"\\") if isinstance(raw, bytes) else (raw or [])
        values = np.array(parts).astype(np.float64).ravel() if len(parts) else values
    if len(values) % 3 or not np.isfinite(values).all():
        raise CaseError(Code.IMAGE_CORRUPT, f"a contour has {len(values)} coordinates")
    return values.reshape(-1, 3)
