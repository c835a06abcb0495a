"""What contours and segmentations say they were drawn on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hnmets.sources.dicom.pseudonym import Pseudonyms

Dataset = Any  # pydicom's datasets answer with whatever the file holds


@dataclass(frozen=True, kw_only=True)
class NamedRegion:
    """A region of a structure set, or a segment.

    Parameters
    ----------
    number
        By which contours or frames refer to it.
    name
        As somebody typed it; see `vocabulary.shown_region` before it is shown.
    frame
        Frame of reference, hashed; empty where the object gives none for the region.
    """

    number: int
    name: str
    frame: str = ""


@dataclass(frozen=True, kw_only=True)
class References:
    """Series and frames of reference that an object names, hashed, and its regions."""

    series: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    regions: tuple[NamedRegion, ...] = ()


def references_of(header: Dataset, pseudonyms: Pseudonyms) -> References:
    """Return what a structure set or segmentation refers to."""
    frames = [
        str(item.get("FrameOfReferenceUID") or "")
        for item in header.get("ReferencedFrameOfReferenceSequence") or ()
    ]
    frames.append(str(header.get("FrameOfReferenceUID") or ""))
    return References(
        series=_hashed(pseudonyms, "S", _series(header)),
        frames=_hashed(pseudonyms, "F", iter(frames)),
        regions=tuple(_regions(header, pseudonyms)),
    )


def _series(header: Dataset) -> Iterator[str]:
    for frame in header.get("ReferencedFrameOfReferenceSequence") or ():
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                yield str(series.get("SeriesInstanceUID") or "")
    for series in header.get("ReferencedSeriesSequence") or ():
        yield str(series.get("SeriesInstanceUID") or "")


def _regions(header: Dataset, pseudonyms: Pseudonyms) -> Iterator[NamedRegion]:
    for item in header.get("StructureSetROISequence") or ():
        yield NamedRegion(
            number=int(item.get("ROINumber", -1)),
            name=str(item.get("ROIName") or "").strip(),
            frame=pseudonyms.uid("F", str(item.get("ReferencedFrameOfReferenceUID") or "")),
        )
    for item in header.get("SegmentSequence") or ():
        yield NamedRegion(
            number=int(item.get("SegmentNumber", -1)),
            name=str(item.get("SegmentLabel") or "").strip(),
        )


def _hashed(pseudonyms: Pseudonyms, kind: str, uids: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pseudonyms.uid(kind, uid) for uid in uids if uid.strip()))
