"""Every defect of an export, in one of six patients: it fails alone, with its code."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hnmets.domain.errors import Code
from hnmets.execution.local import InProcess
from hnmets.sources.dicom.region_rules import RegionRules, default_rules, parse_rules, read_rules
from hnmets.sources.dicom.scanned import Scan, ScannedPatient
from hnmets.sources.nifti import read_ct, read_mask
from hnmets.workflows import cohort_scan
from hnmets.workflows.cohort_scan import Executors, Request
from tests import builders_dicom_defects as do
from tests.builders_dicom import KEY, circle, patient, phantom, tube, write_patient

BAD = KEY.patient("MRN-6")
GOOD = sorted(KEY.patient(f"MRN-{number}") for number in range(1, 6))
HERE = Executors(looking=InProcess(), reading=InProcess())
# Whole numbers x and y with x² + y² up to (14 / 2.5)² and to (6 / 2.5)²: a circle's voxels.
DISC, HOLES_DISC = 97, 21
# Readers of the cohort clip CT to its 12 bits.
CLIPPED = np.clip(phantom(6).voxels, -1024, 3071)
HOLE = {"GTVp": [*tube(range(4, 9)), *tube(range(4, 9), radius_mm=6)]}

REFUSED: dict[str, tuple[Code, do.Spoil]] = {
    "B02 a missing slice": (Code.GEOMETRY_GAP, do.without(5)),
    "B03 two acquisitions": (Code.GEOMETRY_DUPLICATE, do.twice(5, other_pixels=True)),
    "B04 mixed spacing": (Code.GEOMETRY_SPACING, do.mixed_spacing),
    "B05 positions that wander": (
        Code.GEOMETRY_SPACING,
        do.positions(lambda n, p: (p[0], p[1], p[2] + (0.03 if n == 5 else 0))),
    ),
    "B06 gantry tilt": (Code.GEOMETRY_SHEAR, do.tilted(15)),
    "B11 another series": (Code.STRUCTURE_REFERENCE, do.structures(do.of_another_series)),
    "B11 another frame": (Code.STRUCTURE_REFERENCE, do.structures(do.in_another_frame)),
    "B11 a region's frame": (
        Code.STRUCTURE_REFERENCE,
        do.structures(do.region_in_another_frame),
    ),
    "B12 contours outside": (Code.STRUCTURE_OUTSIDE, do.structures(do.shifted(21.0))),
    "B14 an empty region": (Code.REGION_EMPTY, do.regions(GTVp=[])),
    "B14 points only": (Code.REGION_EMPTY, do.regions(GTVp=[circle(12.0)[:1]])),
    "B14 no contour sequence": (Code.REGION_EMPTY, do.structures(do.without_contours)),
    "B14 not among the contours": (Code.REGION_EMPTY, do.structures(do.without_region)),
    "B17 two that could be it": (
        Code.REGION_AMBIGUOUS,
        do.regions(GTV=tube(range(4, 9)), GTV_70=tube(range(4, 9))),
    ),
    "B17 only an old one": (Code.REGION_ABSENT, do.regions(GTV_old=tube(range(4, 9)))),
    "B17 two structure sets": (Code.REGION_AMBIGUOUS, do.second_set("20250111")),
    "B19 a segment on another grid": (
        Code.GEOMETRY_MISMATCH,
        do.segmented("BINARY", moved=True),
    ),
    "B26 no slope": (Code.HU_RANGE, do.every_ct(RescaleSlope=None)),
    "B26 no intercept": (Code.HU_RANGE, do.every_ct(RescaleIntercept=None)),
    "B26 intercept missing by value": (Code.HU_RANGE, do.stored_as(-8192 + 1024)),
    "B26 intercept twice": (Code.HU_RANGE, do.stored_as(-8192 - 1024)),
    "B26 padding": (Code.HU_RANGE, do.padded),
    "B26 wrapped": (Code.HU_RANGE, do.wrapped),
    "B27 only PET": (Code.DICOM_SERIES, do.only_pet),
    "B28 pixels cut": (Code.IMAGE_CORRUPT, do.half_a_pixel_too_few),
    "B28 no grey values": (Code.DICOM_SYNTAX, do.in_colour),
    "B31 two reconstructions": (Code.DICOM_SERIES, do.two_reconstructions),
    "B03 two that alternate": (Code.GEOMETRY_MIXED, do.alternating),
    "mixed sizes": (Code.GEOMETRY_MIXED, do.mixed_sizes),
    "no structure set": (Code.REGION_ABSENT, lambda ct, _rt: (ct, [])),
    "two slices": (Code.IMAGE_SHAPE, lambda ct, rt: (ct[4:6], [rt])),
    "no position": (Code.IMAGE_CORRUPT, do.every_ct(ImagePositionPatient=None)),
}
BROKEN_FILES: dict[str, tuple[Code, Callable[[Path], None]]] = {
    "B28 deflated": (Code.DICOM_SYNTAX, do.deflated),
    "a header cut": (Code.IMAGE_CORRUPT, do.cut_in_the_header),
    "a file cut": (Code.IMAGE_CORRUPT, do.cut_in_the_pixels),
    "a structure set cut": (Code.IMAGE_CORRUPT, do.damaged_structure_set),
}
ACCEPTED: dict[str, tuple[dict[str, object], do.Spoil]] = {
    "B03 a copy": ({"identical_slices_dropped": 1}, do.twice(5, other_pixels=False)),
    "B05 rounding": (
        {},
        do.positions(lambda n, p: (p[0], p[1], p[2] + (3e-6 if n == 5 else 0))),
    ),
    "B11 by the frame alone": (
        {"matched_by_frame_of_reference": True},
        do.structures(do.by_frame_only),
    ),
    "B14 points and lines": ({"contours_enclosing_nothing": 3}, do.structures(do.with_points)),
    "B14 nodes not drawn": ({"empty": True}, do.structures(do.with_empty_nodes)),
    "B16 numbers at random": ({}, do.shuffled),
    "B29 another kernel in one slice": (
        {"header_differs_between_slices": True},
        do.another_kernel,
    ),
    "B27 among others": ({}, do.among_others),
    "B28 multi-frame": ({}, do.enhanced),
    "B30 metal": ({"share_saturated": 9 / DISC}, do.metal),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of five sound patients and the folder it was scanned into."""
    folder = tmp_path_factory.mktemp("sound")
    for number in range(1, 6):
        write_patient(folder / "export", *patient(number))
    scan = cohort_scan.run(request(folder), executors=HERE)
    assert (len(scan.patients), scan.exit_code) == (5, 0)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy, as far as a scan is concerned: the files are the same ones."""
    shutil.copytree(sound / "export", tmp_path / "export", copy_function=os.link)
    shutil.copytree(sound / "out", tmp_path / "out")
    return tmp_path


def request(folder: Path, rules: RegionRules | None = None) -> Request:
    return Request(
        root=folder / "export",
        out=folder / "out",
        rules=rules or read_rules(None),
        pseudonyms=KEY,
    )


def scanned_with(
    folder: Path, spoil: do.Spoil | None = None, rules: RegionRules | None = None
) -> Scan:
    ct, structures = patient(6)
    images, others = spoil(ct, structures) if spoil else (ct, [structures])
    write_patient(folder / "export", images, *others)
    return cohort_scan.run(request(folder, rules), executors=HERE)


def rules_with(before: str, after: str) -> RegionRules:
    text = default_rules()
    assert before in text
    return parse_rules(text.replace(before, after))


def of_bad(scan: Scan) -> ScannedPatient:
    (found,) = (each for each in scan.patients if each.patient == BAD)
    return found


def flags_of(found: ScannedPatient) -> dict[str, object]:
    return {name: value for flags in found.flags.values() for name, value in flags.items()}


def mask_of(folder: Path, role: str = "tumour") -> np.ndarray:  # type: ignore[type-arg]  # labels
    return read_mask(folder / f"out/nifti/{BAD}_{role}.nii.gz", memory_gib=1).volume.voxels


@pytest.mark.parametrize("defect", REFUSED)
def test_a_defect_costs_its_patient_alone(defect: str, folder: Path) -> None:
    code, spoil = REFUSED[defect]
    scan = scanned_with(folder, spoil)
    assert [(f.case_id, f.code) for f in scan.failures] == [(BAD, code)], scan.failures
    assert [each.patient for each in scan.patients] == GOOD
    assert scan.exit_code == 4
    assert not list((folder / "out/nifti").glob(f"*{BAD}*"))


@pytest.mark.parametrize("defect", BROKEN_FILES)
def test_a_broken_file_costs_its_patient_alone(defect: str, folder: Path) -> None:
    code, spoil = BROKEN_FILES[defect]
    ct, structures = patient(6)
    spoil(write_patient(folder / "export", ct, structures))
    scan = cohort_scan.run(request(folder), executors=HERE)
    assert [(f.case_id, f.code) for f in scan.failures] == [(BAD, code)], scan.failures
    assert [each.patient for each in scan.patients] == GOOD


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_can_be_trusted_is_read_with_its_flag(name: str, folder: Path) -> None:
    flags, spoil = ACCEPTED[name]
    scan = scanned_with(folder, spoil)
    assert scan.exit_code == 0, scan.failures
    assert flags_of(of_bad(scan)) == pytest.approx(flags)
    expected = 5 * DISC
    assert mask_of(folder).sum() == expected
    ct = read_ct(folder / f"out/nifti/{BAD}_CT.nii.gz", memory_gib=1).volume
    if "metal" not in name:
        np.testing.assert_array_equal(ct.voxels, CLIPPED)


@pytest.mark.parametrize("syntax", do.all_syntaxes())
def test_compressed_pixels_are_the_same_pixels(syntax: str, folder: Path) -> None:
    scan = scanned_with(folder, do.compressed(do.all_syntaxes()[syntax]))
    assert scan.exit_code == 0, scan.failures
    ct = read_ct(folder / f"out/nifti/{BAD}_CT.nii.gz", memory_gib=1).volume
    np.testing.assert_array_equal(ct.voxels, CLIPPED)


@pytest.mark.parametrize(
    ("compressor", "syntax"),
    [("JPEG", "1.2.840.10008.1.2.4.70"), ("JPEG2000", "1.2.840.10008.1.2.4.90")],
)
def test_what_archives_compress_are_the_same_pixels(
    compressor: str, syntax: str, folder: Path
) -> None:
    bad = write_patient(folder / "export", patient(6)[0], patient(6)[1])
    do.by_gdcm(bad, compressor)
    assert pydicom.dcmread(bad / "CT/0000.dcm").file_meta.TransferSyntaxUID == syntax
    scan = cohort_scan.run(request(folder), executors=HERE)
    assert scan.exit_code == 0, scan.failures
    ct = read_ct(folder / f"out/nifti/{BAD}_CT.nii.gz", memory_gib=1).volume
    np.testing.assert_array_equal(ct.voxels, CLIPPED)


def test_padding_that_the_header_tells_of_is_air(folder: Path) -> None:
    scan = scanned_with(folder, do.padded_and_told)
    assert scan.exit_code == 0, scan.failures
    y, x = np.ogrid[0:64, 0:64]
    outside = (y - 32) ** 2 + (x - 32) ** 2 > 31**2
    assert flags_of(of_bad(scan))["share_not_measured"] == pytest.approx(outside.mean())
    ct = read_ct(folder / f"out/nifti/{BAD}_CT.nii.gz", memory_gib=1).volume
    np.testing.assert_array_equal(ct.voxels[:, outside], -1024)
    np.testing.assert_array_equal(ct.voxels[:, ~outside], CLIPPED[:, ~outside])


def test_a_padding_number_that_could_be_tissue_is_none(folder: Path) -> None:
    scan = scanned_with(folder, do.every_ct(PixelPaddingValue=50 + 8192))
    assert not flags_of(of_bad(scan))
    ct = read_ct(folder / f"out/nifti/{BAD}_CT.nii.gz", memory_gib=1).volume
    np.testing.assert_array_equal(ct.voxels, CLIPPED)


def test_files_of_nobody_are_a_failure_of_nobody(folder: Path) -> None:
    scan = scanned_with(folder, do.nobodys)
    (failure,) = scan.failures
    assert (failure.case_id, failure.code) == ("no-patient-id", Code.DICOM_PATIENT)
    assert "13 DICOM files" in failure.detail


def test_uneven_slices_are_resampled_where_the_rules_say_so(folder: Path) -> None:
    rules = rules_with('uneven = "refuse"', 'uneven = "resample"')
    scan = scanned_with(folder, do.mixed_spacing, rules)
    assert scan.exit_code == 0, scan.failures
    found = of_bad(scan)
    # 0 … 18 mm every 3, then to 48 mm every 6: seventeen slices of 3 mm.
    assert (found.slices, found.spacing_mm[0]) == (17, pytest.approx(3.0))
    assert "3 to 6 mm apart" in str(flags_of(found)["resampled"])
    mask = mask_of(folder).astype(bool)
    # The same circle from 12 to 30 mm: slices 4 to 10.
    truth = np.zeros_like(mask)
    truth[4:11] = mask[4]
    assert mask[4].sum() == DISC
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) >= 0.99


def test_a_contour_on_the_border_slice_is_clipped_and_told(folder: Path) -> None:
    polygons = [*tube(range(-1, 12), radius_mm=20), circle(36.0, 4.0)]
    rules = rules_with("largest_share_lost = 0.05", "largest_share_lost = 0.1")
    scan = scanned_with(folder, do.regions(GTVp=polygons), rules)
    assert flags_of(of_bad(scan))["share_lost"] == pytest.approx(1 / 13, abs=0.01)
    (row,) = (row for row in scan.qc if row.where == "tumour")
    assert row.code == "E_RT_OUTSIDE"


def test_a_hole_stays_a_hole(folder: Path) -> None:
    scan = scanned_with(folder, do.regions(**HOLE))
    assert of_bad(scan).voxels["tumour"] == 5 * (DISC - HOLES_DISC)


def test_a_circle_stays_a_circle_where_pixels_are_oblong(folder: Path) -> None:
    scan = scanned_with(folder, do.oblong)
    found = of_bad(scan)
    assert found.spacing_mm == pytest.approx((3.0, 2.5, 5.0))
    assert found.voxels["tumour"] / 5 * 12.5 == pytest.approx(np.pi * 14**2, rel=0.05)


def test_several_nodes_are_one_region_and_it_is_told(folder: Path) -> None:
    nodes = {"GTVn_li": tube([5, 6], 5.0), "GTVn_re": [circle(15.0, 5.0, centre_mm=(60.0, 90.0))]}
    scan = scanned_with(folder, do.regions(GTVp=tube(range(4, 9)), **nodes))
    found = of_bad(scan)
    assert found.flags["nodes"]["union"] == "GTVn li, GTVn re"
    one, two, three = (mask_of(folder, "nodes")[n].sum() for n in (5, 6, 4))
    assert (one > two > 0, three) == (True, 0)


def test_the_largest_of_several_where_the_rules_say_so(folder: Path) -> None:
    rules = rules_with(
        'several = "refuse"\n\n[roles.nodes]', 'several = "largest"\n\n[roles.nodes]'
    )
    drawn = {"GTV": tube([4, 5]), "GTV_70": tube(range(4, 9))}
    found = of_bad(scanned_with(folder, do.regions(**drawn), rules))
    assert found.voxels["tumour"] == 5 * DISC
    assert found.flags["tumour"]["largest"] == "GTV, GTV 70"


def test_of_two_structure_sets_the_latest_where_the_rules_say_so(folder: Path) -> None:
    rules = rules_with('structure_set = "only"', 'structure_set = "latest"')
    scan = scanned_with(folder, do.second_set("20250111"), rules)
    assert of_bad(scan).voxels["tumour"] == 7 * DISC
    assert of_bad(scan).days_to_contours == 8


def test_two_sets_of_one_day_stay_ambiguous(folder: Path) -> None:
    rules = rules_with('structure_set = "only"', 'structure_set = "latest"')
    scan = scanned_with(folder, do.second_set("20250110"), rules)
    assert [f.code for f in scan.failures] == [Code.REGION_AMBIGUOUS]


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_segments_that_overlap_are_both_whole(kind: str, folder: Path) -> None:
    scan = scanned_with(folder, do.segmented(kind))
    assert scan.exit_code == 0, scan.failures
    tumour, nodes = mask_of(folder), mask_of(folder, "nodes")
    assert (tumour & nodes).sum() > 0
    assert tumour.sum() > nodes.sum() > 0
    assert flags_of(of_bad(scan)).get("threshold") == (0.5 if kind == "FRACTIONAL" else None)


def test_of_two_reconstructions_the_chosen_one_is_read(folder: Path) -> None:
    first = scanned_with(folder, do.two_reconstructions)
    (failure,) = first.failures
    series = failure.detail.rpartition(": ")[2].split(", ")
    assert len(series) == 2
    for name in series:
        rules = parse_rules(
            default_rules().replace("# [choose.series]", f'[choose.series]\n"{BAD}" = "{name}"\n#')
        )
        found = of_bad(cohort_scan.run(request(folder, rules), executors=HERE))
        assert found.series == name


def test_what_the_header_does_not_say_is_unknown(folder: Path) -> None:
    absent = dict.fromkeys(("KVP", "ConvolutionKernel", "ContrastBolusAgent", "Manufacturer"))
    made = of_bad(scanned_with(folder, do.every_ct(**absent))).acquisition
    assert (made.kvp, made.kernel, made.contrast, made.manufacturer) == (
        None,
        "unknown",
        "unknown",
        "unknown",
    )
    assert (made.scanner, made.sex, made.age_band) == ("SOMATOM Definition AS", "M", "65-69")


def test_what_the_header_says_is_kept(folder: Path) -> None:
    made = of_bad(scanned_with(folder)).acquisition
    assert (made.kvp, made.kernel, made.contrast) == (120.0, "B30f", "yes")
    empty = of_bad(scanned_with(folder, do.every_ct(ContrastBolusAgent=""))).acquisition
    assert empty.contrast == "no"


def test_numbers_that_look_odd_are_a_flag_where_the_rules_say_so(folder: Path) -> None:
    rules = rules_with('suspect = "refuse"', 'suspect = "flag"')
    scan = scanned_with(folder, do.stored_as(-8192 + 1024), rules)
    assert "the intercept is missing" in str(flags_of(of_bad(scan))["hu_suspect"])


@pytest.mark.slow
def test_one_and_two_workers_find_the_same_in_all_defects(folder: Path) -> None:
    for number, (_, spoil) in enumerate(REFUSED.values(), start=100):
        images, others = spoil(*patient(number))
        write_patient(folder / "export", images, *others)
    results = []
    for jobs in (1, 2):
        out = folder / f"out{jobs}"
        scan = cohort_scan.run(replace(request(folder), out=out), jobs=jobs)
        files = {
            file.relative_to(out).as_posix(): file.read_bytes()
            for file in sorted(out.rglob("*"))
            if file.is_file()
        }
        results.append((scan, files))
    assert results[0] == results[1]
    scan = results[0][0]
    assert scan.exit_code == 4
    assert [each.patient for each in scan.patients] == GOOD
    expected = {
        KEY.patient(f"MRN-{number}"): code
        for number, (code, _) in enumerate(REFUSED.values(), start=100)
    }
    assert {failure.case_id: failure.code for failure in scan.failures} == expected
