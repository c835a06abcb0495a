"""What a DICOM object is: a CT slice to be trusted, contours, or something else."""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What a file is to a cohort of planning CTs."""

    CT = "CT"
    LOCALISER = "localiser"
    SECONDARY = "secondary capture"
    PET = "PET"
    MR = "MR"
    DOSE = "RT dose"
    PLAN = "RT plan"
    STRUCTURES = "RT structure set"
    SEGMENTATION = "segmentation"
    OTHER = "other DICOM"
    DAMAGED = "damaged DICOM"
    FOREIGN = "no DICOM"


CONTOURED = frozenset({Kind.STRUCTURES, Kind.SEGMENTATION})
ENHANCED_CT = frozenset({"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"})
_BY_CLASS: Mapping[str, Kind] = {
    "1.2.840.10008.5.1.4.1.1.2": Kind.CT,
    **dict.fromkeys(ENHANCED_CT, Kind.CT),
    "1.2.840.10008.5.1.4.1.1.7": Kind.SECONDARY,
    "1.2.840.10008.5.1.4.1.1.7.1": Kind.SECONDARY,
    "1.2.840.10008.5.1.4.1.1.7.2": Kind.SECONDARY,
    "1.2.840.10008.5.1.4.1.1.7.3": Kind.SECONDARY,
    "1.2.840.10008.5.1.4.1.1.7.4": Kind.SECONDARY,
    "1.2.840.10008.5.1.4.1.1.128": Kind.PET,
    "1.2.840.10008.5.1.4.1.1.130": Kind.PET,
    "1.2.840.10008.5.1.4.1.1.4": Kind.MR,
    "1.2.840.10008.5.1.4.1.1.4.1": Kind.MR,
    "1.2.840.10008.5.1.4.1.1.4.4": Kind.MR,
    "1.2.840.10008.5.1.4.1.1.481.2": Kind.DOSE,
    "1.2.840.10008.5.1.4.1.1.481.3": Kind.STRUCTURES,
    "1.2.840.10008.5.1.4.1.1.481.5": Kind.PLAN,
    "1.2.840.10008.5.1.4.1.1.481.8": Kind.PLAN,
    "1.2.840.10008.5.1.4.1.1.66.4": Kind.SEGMENTATION,
    "1.2.840.10008.5.1.4.1.1.66.7": Kind.SEGMENTATION,
}


def kind_of(sop_class: str, modality: str, image_type: tuple[str, ...]) -> Kind:
    """Return what an object is.

    Parameters
    ----------
    sop_class
        SOP class UID.
    modality, image_type
        As the header has them: a CT object may be a scout view, or a screenshot.

    Examples
    --------
    >>> kind_of("1.2.840.10008.5.1.4.1.1.2", "CT", ("ORIGINAL", "PRIMARY", "LOCALIZER")).value
    'localiser'
    """
    kind = _BY_CLASS.get(sop_class, Kind.OTHER)
    if kind is not Kind.CT:
        return kind
    words = {word.strip().upper() for word in image_type}
    if modality.strip().upper() != "CT":
        return Kind.OTHER
    if words & {"LOCALIZER", "SCOUT", "TOPOGRAM"}:
        return Kind.LOCALISER
    if words & {"SCREEN SAVE", "SCREENSAVE", "DOSE_INFO", "PROTOCOL", "REPORT", "3D", "VRT"}:
        return Kind.SECONDARY
    return kind
