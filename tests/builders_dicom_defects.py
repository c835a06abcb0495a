"""Every way in which an export goes wrong, done to a sound patient."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from tests.builders_dicom import (
    SPACING_MM,
    add_region,
    changed,
    circle,
    contour,
    phantom,
    set_hu,
    structure_set,
    tube,
    uid,
)
from tests.builders_dicom_seg import segmentation
from tests.builders_volumes import ball

Objects = list[Dataset]
Spoil = Callable[[Objects, Dataset], tuple[Objects, Objects]]
PET, MR, DOSE = (
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.481.2",
)


def every_ct(**values: object) -> Spoil:
    """Change fields of all CT images; None removes one."""
    return lambda ct, rt: ([changed(ds, **values) for ds in ct], [rt])


def positions(move: Callable[[int, list[float]], Sequence[float]]) -> Spoil:
    """Move the images."""

    def spoil(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
        for number, ds in enumerate(ct):
            place = move(number, [float(v) for v in ds.ImagePositionPatient])
            ds.ImagePositionPatient = [round(v, 6) for v in place]
        return ct, [rt]

    return spoil


def without(*numbers: int) -> Spoil:
    """Leave out slices."""
    return lambda ct, rt: ([ds for n, ds in enumerate(ct) if n not in numbers], [rt])


def twice(number: int, *, other_pixels: bool) -> Spoil:
    """Send a slice twice, as the same image or as another acquisition's."""

    def spoil(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
        again = changed(ct[number], SOPInstanceUID=uid("again"))
        again.file_meta.MediaStorageSOPInstanceUID = again.SOPInstanceUID
        if other_pixels:
            again.PixelData = ct[number - 1].PixelData
        return [*ct, again], [rt]

    return spoil


def tilted(degrees: float) -> Spoil:
    """Shift slices as a tilted gantry does; the tag says that there is no tilt."""
    shift = SPACING_MM[0] * float(np.tan(np.radians(degrees)))
    move = positions(lambda n, place: (place[0], place[1] + n * shift, place[2]))

    def spoil(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
        for ds in ct:
            ds.GantryDetectorTilt = 0
        return move(ct, rt)

    return spoil


def mixed_spacing(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Six slices 3 mm apart, then six 6 mm apart; contours on every one of five slices."""
    heights = [3.0 * min(n, 6) + 6.0 * max(0, n - 6) for n in range(len(ct))]
    for ds, z in zip(ct, heights, strict=True):
        ds.ImagePositionPatient[2] = z
    rt.ROIContourSequence[0].ContourSequence = [contour(circle(z)) for z in heights[4:9]]
    return ct, [rt]


def shuffled(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Number the images at random and say nothing of their place on the table."""
    order = np.random.default_rng(3).permutation(len(ct))
    for number, ds in zip(order, ct, strict=True):
        ds.InstanceNumber = int(number) + 1
    return [ct[n] for n in order], [rt]


def structures(edit: Callable[[Dataset], None]) -> Spoil:
    """Change the structure set."""

    def spoil(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
        edit(rt)
        return ct, [rt]

    return spoil


def regions(**names: Sequence[np.ndarray]) -> Spoil:  # type: ignore[type-arg]  # polygons
    """Draw other regions; `_` in a name is a blank."""
    drawn = {name.replace("_", " "): polygons for name, polygons in names.items()}
    return lambda ct, _rt: (ct, [structure_set(ct, drawn)])


def of_another_series(rt: Dataset) -> None:
    """Refer to a series that is not there."""
    for frame in rt.ReferencedFrameOfReferenceSequence:
        series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
        series.SeriesInstanceUID = uid("elsewhere")


def in_another_frame(rt: Dataset) -> None:
    """Lie in another frame of reference, though the series is named."""
    rt.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = uid("other frame")


def region_in_another_frame(rt: Dataset) -> None:
    """One region lies in another frame than the structure set says."""
    rt.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = uid("other frame")


def by_frame_only(rt: Dataset) -> None:
    """Name no series."""
    del rt.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence


def shifted(by_mm: float) -> Callable[[Dataset], None]:
    """Move all contours along the patient."""

    def edit(rt: Dataset) -> None:
        for region in rt.ROIContourSequence:
            for item in region.ContourSequence:
                points = np.array(item.ContourData, float).reshape(-1, 3)
                points[:, 2] += by_mm
                item.ContourData = [round(v, 3) for v in points.ravel()]

    return edit


def with_points(rt: Dataset) -> None:
    """Add a point, a line and an open contour to the tumour."""
    extra = [
        contour(circle(12.0)[:1], "POINT"),
        contour(circle(12.0)[:2]),
        contour(circle(12.0)[:40], "OPEN_PLANAR"),
    ]
    rt.ROIContourSequence[0].ContourSequence.extend(extra)


def without_contours(rt: Dataset) -> None:
    """Name the tumour, and draw nothing."""
    del rt.ROIContourSequence[0].ContourSequence


def without_region(rt: Dataset) -> None:
    """Name the tumour, and leave it out of the contours' list."""
    del rt.ROIContourSequence[0]


def with_empty_nodes(rt: Dataset) -> None:
    """Name nodes that nobody drew."""
    add_region(rt, 7, "GTVn", [])


def stored_as(intercept: float) -> Spoil:
    """Shift all numbers against what the header says."""
    return every_ct(RescaleIntercept=intercept)


def padded(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Surround the field of view with −3000."""
    for ds, plane in zip(ct, phantom(6).voxels, strict=True):
        y, x = np.ogrid[0:64, 0:64]
        set_hu(ds, np.where((y - 32) ** 2 + (x - 32) ** 2 > 31**2, -3000, plane))
    return ct, [rt]


def padded_and_told(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Surround the field of view with −3000, and say so, as some scanners do."""
    padded(ct, rt)
    for ds in ct:
        ds.PixelPaddingValue = -3000 + 8192
    return ct, [rt]


def wrapped(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Store HU below zero as numbers above 32767."""
    for ds in ct:
        hu = np.frombuffer(ds.PixelData, "<u2").astype(int) - 8192
        ds.PixelData, ds.RescaleIntercept = (hu % 65536).astype("<u2").tobytes(), 0
    return ct, [rt]


def metal(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Put a block of metal into the tumour."""
    for ds, plane in zip(ct, phantom(6).voxels, strict=True):
        hu = plane.copy()
        hu[34:37, 31:34] = 3071
        set_hu(ds, hu)
    return ct, [rt]


def among_others(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Add PET, MR, dose, a scout in the same series, a screenshot and an index file."""
    scout = changed(
        ct[0], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SOPInstanceUID=uid("scout")
    )
    scout.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    others = [
        changed(ct[0], SOPClassUID=kind, Modality=modality, SOPInstanceUID=uid(modality))
        for kind, modality in ((PET, "PT"), (MR, "MR"), (DOSE, "RTDOSE"))
    ]
    shot = changed(ct[1], ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
    return [*ct, scout, shot], [rt, *others]


def only_pet(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Export another modality than the contours were drawn on."""
    return [changed(ds, SOPClassUID=PET, Modality="PT") for ds in ct], [rt]


def compressed(syntax: str) -> Spoil:
    """Compress the pixels."""

    def spoil(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
        for ds in ct:
            ds.compress(syntax, generate_instance_uid=False)
        return ct, [rt]

    return spoil


def half_a_pixel_too_few(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Cut the pixels of one image."""
    ct[4].PixelData = ct[4].PixelData[: len(ct[4].PixelData) // 2]
    return ct, [rt]


def two_reconstructions(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Add a resampled copy of the series; the structure set names their frame alone."""
    by_frame_only(rt)
    derived = [
        changed(
            ds,
            ImageType=["DERIVED", "SECONDARY", "REFORMATTED"],
            SeriesInstanceUID=uid("Eq"),
            SOPInstanceUID=uid("Eq", number),
        )
        for number, ds in enumerate(ct)
    ]
    return [*ct, *derived], [rt]


def second_set(day: str) -> Spoil:
    """Add a structure set of another day, with a larger tumour."""

    def spoil(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
        again = structure_set(ct, {"GTVp": tube(range(3, 10))}, label="again", day=day)
        return ct, [rt, again]

    return spoil


def alternating(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Give every other slice to another acquisition."""
    for number, ds in enumerate(ct):
        ds.AcquisitionNumber = 1 + number % 2
    return ct, [rt]


def another_kernel(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Reconstruct one slice with another kernel."""
    ct[3].ConvolutionKernel = "B70f"
    return ct, [rt]


def oblong(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Keep every second column: pixels of 2.5 × 5 mm."""
    for ds, plane in zip(ct, phantom(6).voxels, strict=True):
        set_hu(ds, plane[:, ::2])
        ds.PixelSpacing = [2.5, 5.0]
    return ct, [rt]


def segmented(kind: str, *, moved: bool = False) -> Spoil:
    """Give a segmentation of overlapping tumour and nodes instead of contours."""

    def spoil(ct: Objects, _rt: Dataset) -> tuple[Objects, Objects]:
        masks = {
            "GTVp": ball((12, 64, 64), centre=(6, 36, 32), radius_mm=14, spacing_mm=SPACING_MM),
            "GTVn": ball((12, 64, 64), centre=(6, 40, 32), radius_mm=9, spacing_mm=SPACING_MM),
        }
        seg = segmentation(ct, masks, kind=kind)
        if moved:
            for frame in seg.PerFrameFunctionalGroupsSequence:
                frame.PlanePositionSequence[0].ImagePositionPatient[0] += 1.1
        return ct, [seg]

    return spoil


def mixed_sizes(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Reconstruct one image with fewer pixels."""
    set_hu(ct[3], phantom(6).voxels[3][:32, :32])
    return ct, [rt]


def in_colour(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Claim that the pixels are colours."""
    return [changed(ds, PhotometricInterpretation="MONOCHROME1") for ds in ct], [rt]


def nobodys(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Remove the patient id."""
    return [changed(ds, PatientID="") for ds in ct], [changed(rt, PatientID="")]


def enhanced(ct: Objects, rt: Dataset) -> tuple[Objects, Objects]:
    """Put all slices into one multi-frame object, in no order."""
    ds = copy.deepcopy(ct[0])
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    order = np.random.default_rng(5).permutation(len(ct))
    ds.NumberOfFrames = len(ct)
    ds.PixelData = b"".join(ct[n].PixelData for n in order)
    ds.PerFrameFunctionalGroupsSequence = [_frame(ct[n]) for n in order]
    shared = Dataset()
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing = ct[0].PixelSpacing
    orientation.ImageOrientationPatient = ct[0].ImageOrientationPatient
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    ds.SharedFunctionalGroupsSequence = [shared]
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(ds, keyword)
    del ds.RescaleSlope, ds.RescaleIntercept
    return [ds], [rt]


def _frame(image: Dataset) -> Dataset:
    frame, position, values = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = image.ImagePositionPatient
    values.RescaleSlope, values.RescaleIntercept = image.RescaleSlope, image.RescaleIntercept
    values.RescaleType = "HU"
    frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [position], [values]
    return frame


def by_gdcm(folder: Path, compressor: str) -> None:
    """Compress all images as archives do: JPEG is lossless, process 14."""
    for file in sorted((folder / "CT").glob("*.dcm")):
        before = pydicom.dcmread(file)
        image = sitk.ReadImage(str(file))
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetUseCompression(True)
        writer.SetCompressor(compressor)
        writer.SetFileName(str(file))
        writer.Execute(sitk.Cast(image, sitk.sitkInt16))
        after = pydicom.dcmread(file)
        # ITK writes a secondary capture: the pixels are kept, the header is the one before.
        before.PixelData = after.PixelData
        before.file_meta.TransferSyntaxUID = after.file_meta.TransferSyntaxUID
        before["PixelData"].VR = "OB"
        before["PixelData"].is_undefined_length = True
        before.PixelRepresentation = after.PixelRepresentation
        before.BitsStored, before.HighBit = after.BitsStored, after.HighBit
        before.RescaleSlope, before.RescaleIntercept = after.RescaleSlope, after.RescaleIntercept
        before.save_as(file, enforce_file_format=True)


def deflated(folder: Path) -> None:
    """Deflate one file as a whole."""
    file = folder / "CT" / "0003.dcm"
    ds = pydicom.dcmread(file)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(file, enforce_file_format=True)


def cut_in_the_header(folder: Path) -> None:
    """Keep the first bytes of one file."""
    file = folder / "CT" / "0003.dcm"
    file.write_bytes(file.read_bytes()[:300])


def cut_in_the_pixels(folder: Path) -> None:
    """Lose the end of one file."""
    file = folder / "CT" / "0003.dcm"
    file.write_bytes(file.read_bytes()[:-3000])


def damaged_structure_set(folder: Path) -> None:
    """Lose the second half of the structure set."""
    file = folder / "other" / "0000.dcm"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def all_syntaxes() -> dict[str, str]:
    """Lossless syntaxes that pydicom can write."""
    return {"RLE": RLELossless, "JPEG-LS": JPEGLSLossless}
