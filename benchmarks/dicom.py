"""Scan and rasterisation of a DICOM series, against dicomrttool, med-imagetools and plastimatch.

One patient of 150 slices of 512 × 512 with ten regions, 70 contours of 400 points each; a hundred
patients of 150 small slices for the scan that finds nothing new.

    python -m benchmarks.dicom            # DicomRTTool, imgtools and plastimatch where they are
"""

import contextlib
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hnmets.domain.geometry import Geometry
from hnmets.execution.local import InProcess
from hnmets.sources.dicom.contours import read_structures
from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.sources.dicom.rasterise import rasterise
from hnmets.sources.dicom.region_rules import parse_rules
from hnmets.workflows.cohort_scan import Executors, Request, run

Mask = NDArray[np.bool_]

SCAN_LIMIT_S, IDLE_LIMIT_S, WANTED_RATIO = 6.0, 1.0, 5.0
GRID = Geometry(
    shape=(150, 512, 512),
    spacing_mm=(3.0, 0.9765625, 0.9765625),
    origin_mm=(-250.0, -250.0, -225.0),
)
REGIONS = {
    # Middle (x, y), half axes (x, y) in mm, first and last slice.
    "GTVp": ((-12.3, 20.1), (22.0, 17.0), (40, 110)),
    "GTVn": ((48.7, 12.2), (14.0, 11.0), (35, 105)),
    "organ1": ((-61.1, 14.3), (16.0, 24.0), (40, 110)),
    "organ2": ((61.9, 15.1), (15.0, 25.0), (40, 110)),
    "organ3": ((0.3, 61.7), (9.0, 8.0), (20, 90)),
    "organ4": ((0.9, -41.3), (61.0, 33.0), (40, 110)),
    "organ5": ((-31.0, -12.0), (13.0, 14.0), (40, 110)),
    "organ6": ((33.0, -15.0), (12.0, 13.0), (40, 110)),
    "organ7": ((2.0, 2.0), (11.0, 30.0), (40, 110)),
    "organ8": ((1.0, 14.0), (105.0, 88.0), (40, 110)),
}
RULES = 'version = 1\nname = "benchmark"\n' + "\n".join(
    f'[roles.{name.lower()}]\nexact = ["{name}"]' for name in REGIONS
)
KEY = "a key of a benchmark"
CT, STRUCTURES = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.3"


def main() -> int:
    """Measure, print, and return 1 where a target is missed."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_patient(folder / "export", GRID, patient="one")
        good = [scan_of_one(folder), rasterising(folder), idle(folder)]
    return 0 if all(good) else 1


def scan_of_one(folder: Path) -> bool:
    """Time the command from the export to manifest and masks, on one core."""
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    wall, cpu = [], []
    for number in range(3):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "cli", "cohort", "scan", folder / "export"]
        options = ["--out", folder / f"out{number}", "--rules", rules, "--quiet", "--json"]
        subprocess.run(
            [str(part) for part in (*command, *options)],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"HNMETS_PSEUDONYM_KEY": KEY},
            preexec_fn=lambda: os.sched_setaffinity(0, {0}),  # no threads here
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - start)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    seconds = statistics.median(wall)
    print(
        f"hnmets cohort scan, one core: {seconds:.2f} s on the clock, "
        f"{statistics.median(cpu):.2f} s of CPU time, medians of 3"
    )
    return claim(seconds < SCAN_LIMIT_S, f"scan and masks under {SCAN_LIMIT_S:g} s on one core")


def rasterising(folder: Path) -> bool:
    """Time structure set to masks, ours and theirs, and compare both with the truth."""
    truth = {name: true_mask(name) for name in REGIONS}
    file = next((folder / "export").rglob("structures.dcm"))
    results = {"hnmets": timed(lambda: own_masks(file), 5)}
    for name, oracle in oracles(folder, file).items():
        results[name] = timed(oracle, 3)
    for name, (seconds, masks) in results.items():
        worst = min(dice(masks[region], truth[region]) for region in REGIONS)
        mean = statistics.mean(dice(masks[region], truth[region]) for region in REGIONS)
        print(f"{name:16} {seconds:7.3f} s   Dice to the truth {mean:.5f}, worst {worst:.5f}")
    own_s, own = results.pop("hnmets")
    if not results:
        print("no oracle is installed: nothing to compare with")
        return True
    slowest = max(seconds for seconds, _ in results.values())
    own_dice = min(dice(own[region], truth[region]) for region in REGIONS)
    their_dice = max(
        min(dice(masks[region], truth[region]) for region in REGIONS)
        for _, masks in results.values()
    )
    fast = claim(
        slowest / own_s >= WANTED_RATIO,
        f"{slowest / own_s:.1f} times as fast as the slowest oracle ({WANTED_RATIO:g} wanted)",
    )
    return claim(own_dice >= their_dice - 1e-3, "at no lower Dice than the best of them") and fast


def idle(folder: Path) -> bool:
    """Time a scan of a hundred patients that has nothing to do."""
    small = Geometry(shape=(150, 32, 32), spacing_mm=(3.0, 6.0, 6.0), origin_mm=(-96, -96, -225))
    for number in range(100):
        write_patient(folder / "hundred", small, patient=f"patient {number}", only=("GTVp",))
    request = Request(
        root=folder / "hundred",
        out=folder / "hundred out",
        rules=parse_rules(RULES + '\n[hounsfield]\nsuspect = "flag"'),
        pseudonyms=Pseudonyms(key=KEY.encode()),
    )
    here = Executors(looking=InProcess(), reading=InProcess())
    first_s, _ = timed(lambda: run(request, executors=here), 1)
    seconds, found = timed(lambda: run(request, executors=here), 5)
    print(
        f"100 patients, 15,100 files: first scan {first_s:.1f} s, again {seconds:.3f} s, "
        f"{len(found.patients)} patients"
    )
    return claim(seconds < IDLE_LIMIT_S, f"a scan with nothing new under {IDLE_LIMIT_S:g} s")


def own_masks(file: Path) -> Mapping[str, Mask]:
    """Read a structure set and fill its contours."""
    structures = read_structures(file)
    distances = GRID.origin_mm[2] + 3.0 * np.arange(GRID.shape[0])
    return {
        name: rasterise(structures.contours(number).polygons, GRID, distances).mask
        for number, name in enumerate(REGIONS, start=1)
    }


def oracles(folder: Path, file: Path) -> dict[str, Callable[[], Mapping[str, Mask]]]:
    """Return the other tools that are there; reading the CT is not timed."""
    found: dict[str, Callable[[], Mapping[str, Mask]]] = {}
    with contextlib.suppress(ImportError):
        found["dicomrttool"] = by_dicomrttool(file.parent)
    with contextlib.suppress(ImportError):
        found["med-imagetools"] = by_imgtools(file)
    if shutil.which("plastimatch"):
        found["plastimatch"] = by_plastimatch(folder, file)
    return found


def by_dicomrttool(series: Path) -> Callable[[], Mapping[str, Mask]]:
    """Return dicomrttool's way from the structure set to masks."""
    from DicomRTTool.ReaderWriter import DicomReaderWriter

    names = [name.lower() for name in REGIONS]
    reader = DicomReaderWriter(Contour_Names=names, arg_max=False, verbose=False)
    reader.walk_through_folders(str(series))
    reader.set_index(0)
    reader.get_images()

    def masks() -> Mapping[str, Mask]:
        reader.reset_rts()
        reader.reset_mask()
        reader.get_mask()
        stacked = np.asarray(reader.mask)[..., 1:] > 0
        return {name: stacked[..., place] for place, name in enumerate(REGIONS)}

    return masks


def by_imgtools(file: Path) -> Callable[[], Mapping[str, Mask]]:
    """Return med-imagetools' way from the structure set to masks."""
    import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
    from imgtools.coretypes import MedImage
    from imgtools.coretypes.masktypes.structureset import RTStructureSet

    empty = sitk.Image(512, 512, 150, sitk.sitkInt16)
    empty.SetSpacing(GRID.spacing_mm[::-1])
    empty.SetOrigin(GRID.origin_mm)
    image = MedImage(empty)

    def masks() -> Mapping[str, Mask]:
        structures = RTStructureSet.from_dicom(file)
        size = (*GRID.shape, 1)
        return {
            name: structures.get_mask_ndarray(image, name, size).astype(bool) for name in REGIONS
        }

    return masks


def by_plastimatch(folder: Path, file: Path) -> Callable[[], Mapping[str, Mask]]:
    """Return plastimatch's way from the structure set to masks, as a program of its own."""
    import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses

    empty = sitk.Image(512, 512, 150, sitk.sitkInt16)
    empty.SetSpacing(GRID.spacing_mm[::-1])
    empty.SetOrigin(GRID.origin_mm)
    fixed = folder / "fixed.mha"
    sitk.WriteImage(empty, str(fixed))
    out = folder / "plastimatch"

    def masks() -> Mapping[str, Mask]:
        options = ["--input", file, "--fixed", fixed, "--output-prefix", out]
        command = ["plastimatch", "convert", *options, "--prefix-format", "mha"]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
        return {
            name: sitk.GetArrayFromImage(sitk.ReadImage(str(out / f"{name}.mha"))) > 0
            for name in REGIONS
        }

    return masks


def true_mask(name: str) -> Mask:
    """Return the voxels whose centres lie inside a region's ellipse."""
    (x, y), (half_x, half_y), (first, last) = REGIONS[name]
    _, rows, columns = GRID.shape
    across = (GRID.origin_mm[0] + GRID.spacing_mm[2] * np.arange(columns) - x) / half_x
    down = (GRID.origin_mm[1] + GRID.spacing_mm[1] * np.arange(rows) - y) / half_y
    mask = np.zeros(GRID.shape, np.bool_)
    mask[first:last] = across[None, :] ** 2 + down[:, None] ** 2 < 1
    return mask


def dice(one: Mask, other: Mask) -> float:
    """Return twice the overlap by the sum."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def write_patient(
    root: Path, grid: Geometry, *, patient: str, only: tuple[str, ...] = tuple(REGIONS)
) -> None:
    """Write a noisy body as a CT series, and its structure set."""
    folder = root / patient
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    depth, rows, columns = grid.shape
    y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    body = np.where(x**2 + y**2 < 0.4, 40, -1000)
    images = []
    for number in range(depth):
        ds = _object(CT, patient, number)
        hu = np.clip(body + rng.normal(0, 12, (rows, columns)), -1024, 3071)
        _fill(ds, np.rint(hu + 1024).astype("<u2"), grid, number)
        ds.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
        images.append(ds)
    _structures(images, grid, only).save_as(folder / "structures.dcm", enforce_file_format=True)


def _fill(ds: Dataset, stored: NDArray[np.uint16], grid: Geometry, number: int) -> None:
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ImagePositionPatient = list(grid.position_mm((float(number), 0.0, 0.0)))
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = list(grid.spacing_mm[1:]), grid.spacing_mm[0]
    ds.Rows, ds.Columns = stored.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleSlope, ds.RescaleIntercept, ds.PixelData = 1, -1024, stored.tobytes()


def _structures(images: list[Dataset], grid: Geometry, only: tuple[str, ...]) -> Dataset:
    ds = _object(STRUCTURES, str(images[0].PatientID), len(images))
    ds.Modality, ds.StructureSetDate = "RTSTRUCT", "20250101"
    ds.SeriesInstanceUID = _uid(ds.PatientID, "structures")
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ContourImageSequence = [_reference(image) for image in images]
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = CT, images[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = images[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    ds.ReferencedFrameOfReferenceSequence = [frame]
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, name in enumerate(only, start=1):
        region, drawn = Dataset(), Dataset()
        region.ROINumber, region.ROIName = number, name
        region.ReferencedFrameOfReferenceUID = frame.FrameOfReferenceUID
        drawn.ReferencedROINumber = number
        drawn.ContourSequence = [
            _contour(name, grid.position_mm((float(place), 0.0, 0.0))[2], images[place])
            for place in range(*REGIONS[name][2])
        ]
        ds.StructureSetROISequence.append(region)
        ds.ROIContourSequence.append(drawn)
        observation = Dataset()
        observation.ObservationNumber, observation.ReferencedROINumber = number, number
        observation.RTROIInterpretedType = "GTV"
        ds.RTROIObservationsSequence.append(observation)
    return ds


def _contour(name: str, z: float, image: Dataset) -> Dataset:
    (x, y), (half_x, half_y), _ = REGIONS[name]
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    points = np.column_stack(
        [x + half_x * np.cos(angles), y + half_y * np.sin(angles), np.full(400, z)]
    )
    ds = Dataset()
    ds.ContourImageSequence = [_reference(image)]
    ds.ContourGeometricType, ds.NumberOfContourPoints = "CLOSED_PLANAR", 400
    ds.ContourData = [f"{value:.4f}" for value in points.ravel()]
    return ds


def _reference(image: Dataset) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID = image.SOPClassUID
    ds.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return ds


def _object(sop_class: str, patient: str, number: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, _uid(patient, number)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PatientID, ds.PatientName, ds.StudyDate = patient, "Nobody", "20250101"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = _uid(patient, "study"), _uid(patient, "ct")
    ds.FrameOfReferenceUID = _uid(patient, "frame")
    return ds


def _uid(*parts: object) -> str:
    return str(generate_uid(entropy_srcs=[str(part) for part in parts]))


def timed(work: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Return the median of the runs in seconds, and the last result; what they say is dropped."""
    seconds, result = [], None
    for _ in range(runs):
        with contextlib.redirect_stdout(io.StringIO()):
            start = time.perf_counter()
            result = work()
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def claim(good: bool, words: str) -> bool:
    """Print a claim with its verdict, and return that."""
    print(f"{'PASS' if good else 'FAIL'}  claim: {words}", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main())
