"""How an image was made: the header fields that may leave the reader, cleaned."""

import re
from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite
from typing import Any

from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.sources.dicom.vocabulary import Field, is_known

UNKNOWN = "unknown"
_AGE = re.compile(r"(\d{3})([DWMY])")
_YEARS = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
# HIPAA's Safe Harbor has no ages above 89: 45 CFR 164.514(b)(2)(i)(C).
_OLDEST, _BAND = 90, 5
_CONTRAST_TAGS = ("ContrastBolusAgent", "ContrastBolusAgentSequence", "ContrastBolusRoute")

Dataset = Any  # pydicom's datasets answer with whatever the file holds

# Everything of a header that may leave the reader, beside pixels, positions and keyed hashes.
ALLOWED = (
    "KVP",
    "SliceThickness",
    "ConvolutionKernel",
    "Manufacturer",
    "ManufacturerModelName",
    *_CONTRAST_TAGS,
    "PatientSex",
    "PatientAge",
    "LossyImageCompression",
)
# Read to compute an age or a distance in days; the values themselves stay inside.
MEASURED_BY = ("PatientBirthDate", "StudyDate", "StructureSetDate", "ContentDate")


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """What a series says of its making; `unknown` or None where it says nothing.

    Parameters
    ----------
    kvp
        Tube voltage, kV.
    slice_thickness_mm
        As the header claims; the spacing is measured from positions.
    kernel, manufacturer, scanner
        Known names as they are; any other text as a keyed hash, `other-k3f9q1`, since it may
        name a person, and strata need only to know whether two are the same.
    contrast
        `yes`, `no` (the header has the field, and it is empty) or `unknown`.
    sex
        F, M, O or unknown.
    age_band
        Five years, `60-64`; `90+` above.
    lossy
        Whether the pixels were ever compressed with loss.
    """

    kvp: float | None = None
    slice_thickness_mm: float | None = None
    kernel: str = UNKNOWN
    manufacturer: str = UNKNOWN
    scanner: str = UNKNOWN
    contrast: str = UNKNOWN
    sex: str = UNKNOWN
    age_band: str = UNKNOWN
    lossy: bool = False

    def as_cells(self) -> dict[str, str]:
        """Return the values as cells of a manifest."""
        return {
            name: f"{value:g}" if isinstance(value, float) else str(value or UNKNOWN)
            for name, value in asdict(self).items()
            if name != "lossy"
        }


def read_acquisition(header: Dataset, pseudonyms: Pseudonyms) -> Acquisition:
    """Return what may be known of a header."""

    def named(keyword: str, field: Field) -> str:
        text = _text(header, keyword)
        if not text:
            return UNKNOWN
        return text if is_known(text, field) else pseudonyms.text(text)

    sex = _text(header, "PatientSex").upper()
    return Acquisition(
        kvp=_number(header, "KVP"),
        slice_thickness_mm=_number(header, "SliceThickness"),
        kernel=named("ConvolutionKernel", "kernel"),
        manufacturer=named("Manufacturer", "device"),
        scanner=named("ManufacturerModelName", "device"),
        contrast=_contrast(header),
        sex=sex if sex in {"F", "M", "O"} else UNKNOWN,
        age_band=_age_band(header),
        lossy=_text(header, "LossyImageCompression") == "01",
    )


def day_of(header: Dataset, *keywords: str) -> int | None:
    """Return a header's date as a number of days; it never leaves the program as such."""
    for keyword in keywords:
        text = _text(header, keyword)
        try:
            return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:8]}").toordinal()
        except ValueError:
            continue
    return None


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    return "\\".join(str(part).strip() for part in parts)


def _number(header: Dataset, keyword: str) -> float | None:
    try:
        value = float(_text(header, keyword))
    except ValueError:
        return None
    return value if isfinite(value) and value > 0 else None


def _contrast(header: Dataset) -> str:
    there = [keyword for keyword in _CONTRAST_TAGS if keyword in header]
    if not there:
        return UNKNOWN
    return "yes" if any(bool(header.get(keyword)) for keyword in there) else "no"


def _age_band(header: Dataset) -> str:
    years = _stated_age(header)
    if years is None:
        years = _age_at_study(header)
    if years is None or not 0 <= years < 130:
        return UNKNOWN
    if years >= _OLDEST:
        return f"{_OLDEST}+"
    low = int(years // _BAND) * _BAND
    return f"{low}-{low + _BAND - 1}"


def _stated_age(header: Dataset) -> float | None:
    match = _AGE.fullmatch(_text(header, "PatientAge"))
    return int(match[1]) / _YEARS[match[2]] if match else None


def _age_at_study(header: Dataset) -> float | None:
    birth, study = day_of(header, "PatientBirthDate"), day_of(header, "StudyDate")
    return None if birth is None or study is None else (study - birth) / 365.25
