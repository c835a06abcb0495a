"""DICOM exports: CT series, structure sets and segmentations of phantoms, sound ones."""

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hnmets.domain.geometry import Volume
from hnmets.sources.dicom.pseudonym import Pseudonyms
from tests.builders_volumes import neck

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
STRUCTURES_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
KEY = Pseudonyms(key=b"a key for tests, and for nothing else")
SPACING_MM = (3.0, 2.5, 2.5)
Polygon = NDArray[np.float64]


def uid(*parts: object) -> str:
    """A UID that the same words always give."""
    return str(generate_uid(entropy_srcs=[str(part) for part in parts]))


@cache
def phantom(seed: int) -> Volume:
    """A neck, small enough for hundreds of tests."""
    return neck((12, 64, 64), spacing_mm=SPACING_MM, seed=seed)


def ct_series(
    volume: Volume,
    *,
    patient: str = "MRN-1",
    series: str = "planning",
    frame: str = "frame",
    intercept: float = -8192,
) -> list[Dataset]:
    """One CT object per slice, feet first, as a scanner would send them."""
    return [
        _slice(volume, number, patient=patient, series=series, frame=frame, intercept=intercept)
        for number in range(volume.geometry.shape[0])
    ]


def _slice(
    volume: Volume, number: int, *, patient: str, series: str, frame: str, intercept: float
) -> Dataset:
    ds = _object(CT_CLASS, patient=patient, series=series, number=number)
    geometry = volume.geometry
    ds.Modality = "CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.FrameOfReferenceUID = uid(patient, frame)
    ds.InstanceNumber = number + 1
    ds.Manufacturer, ds.ManufacturerModelName = "SIEMENS", "SOMATOM Definition AS"
    ds.KVP, ds.ConvolutionKernel, ds.SliceThickness = 120, "B30f", geometry.spacing_mm[0]
    ds.ContrastBolusAgent = "given by hand"
    ds.ImagePositionPatient = [
        _decimal(v) for v in geometry.position_mm((float(number), 0.0, 0.0))
    ]
    axes = np.reshape(geometry.direction, (3, 3))
    ds.ImageOrientationPatient = [_decimal(v) for v in (*axes[:, 0], *axes[:, 1])]
    ds.PixelSpacing = [_decimal(v) for v in geometry.spacing_mm[1:]]
    set_hu(ds, volume.voxels[number], intercept=intercept)
    return ds


def set_hu(ds: Dataset, hu: NDArray[Any], *, intercept: float = -8192, slope: float = 1) -> None:
    """Store an image of HU as unsigned numbers."""
    stored = np.rint((hu.astype(np.float64) - intercept) / slope).astype(np.uint16)
    ds.Rows, ds.Columns = stored.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
    ds.PixelData = stored.astype("<u2").tobytes()


def structure_set(
    ct: Sequence[Dataset],
    regions: Mapping[str, Sequence[Polygon]],
    *,
    label: str = "contours",
    day: str = "20250110",
) -> Dataset:
    """A structure set that was drawn on a CT, one region per name."""
    ds = _object(STRUCTURES_CLASS, patient=ct[0].PatientID, series=label, number=0)
    ds.Modality, ds.StructureSetLabel, ds.StructureSetDate = "RTSTRUCT", label, day
    series = Dataset()
    series.SeriesInstanceUID = ct[0].SeriesInstanceUID
    series.ContourImageSequence = [_reference(image) for image in ct]
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = CT_CLASS, uid("study")
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = ct[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    ds.ReferencedFrameOfReferenceSequence = [frame]
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, (name, polygons) in enumerate(regions.items(), start=1):
        add_region(ds, number, name, polygons)
    return ds


def add_region(ds: Dataset, number: int, name: str, polygons: Sequence[Polygon]) -> None:
    """Add a region to a structure set."""
    region = Dataset()
    region.ROINumber, region.ROIName = number, name
    region.ReferencedFrameOfReferenceUID = ds.ReferencedFrameOfReferenceSequence[
        0
    ].FrameOfReferenceUID
    region.ROIGenerationAlgorithm = "MANUAL"
    ds.StructureSetROISequence.append(region)
    drawn = Dataset()
    drawn.ReferencedROINumber = number
    drawn.ContourSequence = [contour(points) for points in polygons]
    ds.ROIContourSequence.append(drawn)


def contour(points: Polygon, kind: str = "CLOSED_PLANAR") -> Dataset:
    """One contour."""
    ds = Dataset()
    ds.ContourGeometricType, ds.NumberOfContourPoints = kind, len(points)
    ds.ContourData = [_decimal(value) for value in points.ravel()]
    return ds


def circle(
    z_mm: float,
    radius_mm: float = 14.0,
    *,
    centre_mm: tuple[float, float] = (80.0, 90.0),
    points: int = 120,
) -> Polygon:
    """A circle in an axial plane, (points, 3)."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y = centre_mm
    return np.column_stack(
        [x + radius_mm * np.cos(angles), y + radius_mm * np.sin(angles), np.full(points, z_mm)]
    )


def tube(slices: Sequence[int], radius_mm: float = 14.0) -> list[Polygon]:
    """The same circle on some slices of the phantom."""
    return [circle(number * SPACING_MM[0], radius_mm) for number in slices]


def patient(number: int, **names: Sequence[Polygon]) -> tuple[list[Dataset], Dataset]:
    """CT and structure set of one patient: a tumour on five slices, unless other regions."""
    ct = ct_series(phantom(number), patient=f"MRN-{number}", series=f"planning {number}")
    regions = names or {"GTVp": tube(range(4, 9)), "BODY": tube(range(12), radius_mm=60)}
    return ct, structure_set(ct, regions, label=f"contours {number}")


def write(folder: Path, datasets: Sequence[Dataset], *, prefix: str = "") -> Path:
    """Write objects below a folder, named by their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, ds in enumerate(datasets):
        save(ds, folder / f"{prefix}{number:04d}.dcm")
    return folder


def save(ds: Dataset, file: Path) -> Path:
    """Write one object."""
    ds.save_as(file, enforce_file_format=True)
    return file


def write_patient(root: Path, ct: Sequence[Dataset], *others: Dataset) -> Path:
    """Write a patient's objects into a folder of their own."""
    folder = root / str(ct[0].PatientID).replace("/", "_")
    write(folder / "CT", ct)
    write(folder / "other", others)
    return folder


def changed(ds: Dataset, **values: object) -> Dataset:
    """A copy with other values; None removes a field."""
    other = copy.deepcopy(ds)
    for keyword, value in values.items():
        if value is None:
            delattr(other, keyword)
        else:
            setattr(other, keyword, value)
    return other


def _object(sop_class: str, *, patient: str, series: str, number: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(patient, series, number)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PatientID, ds.PatientName = patient, "Somebody^Else"
    ds.PatientBirthDate, ds.PatientSex = "19580401", "M"
    ds.StudyDate, ds.StudyTime = "20250103", "101112"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(patient, "study"), uid(patient, series)
    ds.SeriesNumber, ds.StudyID, ds.AccessionNumber = 1, "1", "12345"
    return ds


def _reference(image: Dataset) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID = image.SOPClassUID
    ds.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return ds


def _decimal(value: float) -> pydicom.valuerep.DSfloat:
    # A decimal string has 16 characters.
    return pydicom.valuerep.DSfloat(float(value), auto_format=True)
