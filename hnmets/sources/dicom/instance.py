"""One file's header: what it is, whose (under a pseudonym), where it lies, what it refers to."""

from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.dicom.acquisition import (
    ALLOWED,
    MEASURED_BY,
    Acquisition,
    day_of,
    read_acquisition,
)
from hnmets.sources.dicom.careful import careful
from hnmets.sources.dicom.kind import CONTOURED, ENHANCED_CT, Kind, kind_of
from hnmets.sources.dicom.plane import Plane, classic_plane, enhanced_planes
from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.sources.dicom.references import References, references_of

Dataset = Any  # pydicom's datasets answer with whatever the file holds

_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
# Longer values of single fields are no header: sequences are bounded by the file's own size.
_LONGEST_VALUE = 1 << 16
_LARGEST_HEADER = 1 << 26
_MAGIC_AT, _MAGIC = 128, b"DICM"
_IDENTITY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "ImageType",
)
_PLACE = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "RescaleSlope",
    "RescaleIntercept",
    "AcquisitionNumber",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_REFERENCES = (
    "StructureSetROISequence",
    "ReferencedFrameOfReferenceSequence",
    "ReferencedSeriesSequence",
    "SegmentSequence",
)
_READ = (*_IDENTITY, *_PLACE, *_REFERENCES, *ALLOWED, *MEASURED_BY)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A file that was looked at; identifiers are keyed hashes, the path is for reading alone.

    Parameters
    ----------
    patient
        Pseudonym; empty where the header names no patient.
    series, sop, frame
        Of the series, the object, and the frame of reference.
    planes
        Images of a CT object.
    day
        Of the study, or of the contours: only differences of two may be shown.
    references
        What contours and segmentations were drawn on, and the names of their regions.
    trouble
        Why a CT object cannot be placed, or a header not be read.
    """

    path: Path
    kind: Kind
    patient: str = ""
    series: str = ""
    sop: str = ""
    frame: str = ""
    planes: tuple[Plane, ...] = ()
    acquisition: Acquisition = field(default_factory=Acquisition)
    day: int | None = None
    references: References = field(default_factory=References)
    trouble: tuple[Code, str] | None = None


class _Frugal(BufferedReader):
    """A file that gives no more at once than any header needs, whatever its lengths promise."""

    def read(self, size: int | None = -1) -> bytes:
        """Return bytes, as every file does.

        Raises
        ------
        CaseError
            If somebody asks for more than a header can have.
        """
        if size is None or not 0 <= size <= _LARGEST_HEADER:
            raise CaseError(Code.IMAGE_CORRUPT, "a header field is longer than any can be")
        return super().read(size)


def read_instance(path: Path, pseudonyms: Pseudonyms) -> Instance:
    """Look at one file; what cannot be read is an instance with its trouble, not an error."""
    try:
        with careful():
            if not looks_like_dicom(path):
                return Instance(path=path, kind=Kind.FOREIGN)
            header = _header(path)
            return _instance(path, header, pseudonyms)
    except CaseError as error:
        return Instance(path=path, kind=Kind.DAMAGED, trouble=(error.code, error.detail))


def looks_like_dicom(path: Path) -> bool:
    """Tell whether a file begins as DICOM does: with its magic word, or with group 0008."""
    with path.open("rb") as file:
        begin = file.read(_MAGIC_AT + len(_MAGIC))
    return begin[_MAGIC_AT:] == _MAGIC or begin[:2] == b"\x08\x00"


def require_readable_syntax(path: Path) -> None:
    """Refuse a deflated file before anything inflates it: a kilobyte may hold gigabytes.

    Raises
    ------
    CaseError
        E_DICOM_SYNTAX.
    """
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as file:
        file.seek(_MAGIC_AT)
        if file.read(len(_MAGIC)) != _MAGIC:
            return
    syntax = str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
    if syntax == _DEFLATED:
        raise CaseError(Code.DICOM_SYNTAX, "the file is deflated as a whole")


def _header(path: Path) -> Dataset:
    import pydicom
    from pydicom.datadict import dictionary_VR

    require_readable_syntax(path)
    with _Frugal(FileIO(path)) as file:
        header = pydicom.dcmread(
            file, stop_before_pixels=True, force=True, specific_tags=list(_READ)
        )
    for tag in header.keys():  # noqa: SIM118  # iterating a dataset would parse its values
        length = getattr(header.get_item(tag), "length", None) or 0
        if length > _LONGEST_VALUE and dictionary_VR(tag) != "SQ":
            raise CaseError(Code.IMAGE_CORRUPT, "a header field is longer than any can be")
    return header


def _require_whole(header: Dataset) -> None:
    """Refuse a header that was cut: pydicom returns what it got until the end of the file."""
    absent = [
        keyword
        for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
        if not header.get(keyword)
    ]
    if absent or "PatientID" not in header:
        raise CaseError(Code.IMAGE_CORRUPT, "the header ends before it has said what it is of")


def _instance(path: Path, header: Dataset, pseudonyms: Pseudonyms) -> Instance:
    sop_class = str(header.get("SOPClassUID", ""))
    if str(header.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY:
        return Instance(path=path, kind=Kind.OTHER)
    _require_whole(header)
    image_type = tuple(map(str, header.get("ImageType") or ()))
    kind = kind_of(sop_class, str(header.get("Modality", "")), image_type)
    patient_id = str(header.get("PatientID") or "").strip()
    planes: tuple[Plane, ...] = ()
    trouble = None
    if kind is Kind.CT:
        try:
            planes = _planes(header, enhanced=sop_class in ENHANCED_CT, image_type=image_type)
        except CaseError as error:
            trouble = (error.code, error.detail)
    return Instance(
        path=path,
        kind=kind,
        patient=pseudonyms.patient(patient_id) if patient_id else "",
        series=pseudonyms.uid("S", str(header.get("SeriesInstanceUID") or "")),
        sop=pseudonyms.uid("I", str(header.get("SOPInstanceUID") or "")),
        frame=pseudonyms.uid("F", str(header.get("FrameOfReferenceUID") or "")),
        planes=planes,
        acquisition=read_acquisition(header, pseudonyms),
        day=day_of(header, "StructureSetDate", "ContentDate", "StudyDate")
        if kind in CONTOURED
        else day_of(header, "StudyDate"),
        references=references_of(header, pseudonyms) if kind in CONTOURED else References(),
        trouble=trouble,
    )


def _planes(header: Dataset, *, enhanced: bool, image_type: tuple[str, ...]) -> tuple[Plane, ...]:
    derived = bool(image_type) and image_type[0].strip().upper() == "DERIVED"
    if enhanced:
        return enhanced_planes(header, derived=derived)
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise CaseError(Code.DICOM_SYNTAX, "a single-frame CT object claims several frames")
    return (classic_plane(header, derived=derived),)
