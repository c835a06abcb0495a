"""Every kind of defect, in one of six patients: it fails alone, with its code."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from feature_store.snapshot import read_snapshot
from hnmets.domain.case import Case
from hnmets.domain.errors import Code
from hnmets.execution.local import InProcess
from hnmets.workflows import cohort_check, features_build
from hnmets.workflows.features_build import Request
from tests.builders_cohorts import case_of, hnmets, study_of
from tests.builders_volumes import cut, flip_byte, replace_content, rewrite_header, set_field

BAD = "SYN-0003"
Spoil = Callable[[Path, Path], None]


def voxels(path: Path, edit: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    image = nib.load(path)
    edited = edit(np.asarray(image.dataobj, dtype=np.float32))
    header = image.header.copy()
    header.set_data_dtype(np.float32)
    nib.save(nib.Nifti1Image(edited, image.affine, header), path)


def moved(path: Path, by_mm: float) -> None:
    image = nib.load(path)
    affine = image.affine.copy()
    affine[0, 3] += by_mm
    out = nib.Nifti1Image(np.asarray(image.dataobj), affine)
    out.set_sform(affine, code=1)
    out.set_qform(affine, code=1)
    nib.save(out, path)


def with_nan(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array[3, 3, 3] = np.nan
    return array


def with_inf(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array[3, 3, 3] = np.inf
    return array


DEFECTS: dict[str, tuple[Code, Spoil]] = {
    "half a file": (Code.IMAGE_CORRUPT, lambda ct, _: cut(ct, keep=0.5) and None),
    "a flipped byte": (Code.IMAGE_CORRUPT, lambda ct, _: flip_byte(ct, at=0.5) and None),
    "not gzip": (Code.IMAGE_CORRUPT, lambda ct, _: ct.write_bytes(b"hello") and None),
    "voxels missing": (Code.IMAGE_CORRUPT, lambda ct, _: replace_content(ct, b"\0" * 400)),
    "a NaN voxel": (Code.IMAGE_NONFINITE, lambda ct, _: voxels(ct, with_nan)),
    "an infinite voxel": (Code.IMAGE_NONFINITE, lambda ct, _: voxels(ct, with_inf)),
    "four dimensions": (
        Code.IMAGE_SHAPE,
        lambda ct, _: voxels(ct, lambda a: np.stack([a, a], axis=-1)),
    ),
    "a header that lies": (
        Code.IMAGE_TOO_LARGE,
        lambda ct, _: rewrite_header(ct, set_field("dim", 32767, at=slice(1, 4))),
    ),
    "forms that disagree": (
        Code.GEOMETRY_FORMS,
        lambda ct, _: rewrite_header(ct, set_field("qoffset_x", 500.0)),
    ),
    "a mask 20 mm away": (Code.GEOMETRY_MISMATCH, lambda _, mask: moved(mask, 20)),
    "a mask with a slice less": (
        Code.GEOMETRY_MISMATCH,
        lambda _, mask: voxels(mask, lambda a: a[..., :-1]),
    ),
    "an empty mask": (Code.REGION_EMPTY, lambda _, mask: voxels(mask, np.zeros_like)),
    "another label": (Code.MASK_LABEL, lambda _, mask: voxels(mask, lambda a: a * 7)),
    "labels between numbers": (Code.MASK_VALUES, lambda _, mask: voxels(mask, lambda a: a / 2)),
    "no mask": (Code.IMAGE_MISSING, lambda _, mask: mask.unlink()),
    "no image": (Code.IMAGE_MISSING, lambda ct, _: ct.unlink()),
}


def spoilt(cohort: Path, spoil: Spoil) -> Case:
    case = case_of(study_of(cohort), BAD)
    assert case.image is not None
    spoil(case.image, case.masks["tumour"])
    return case


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_costs_one_case_and_is_named(name: str, cohort: Path) -> None:
    code, spoil = DEFECTS[name]
    spoilt(cohort, spoil)
    report = features_build.run(study_of(cohort), Request(only=("size",)), executor=InProcess())
    left_out = [(f.case_id, f.code) for f in (*report.defects, *report.failures)]
    assert left_out == [(BAD, code)]
    assert report.exit_code == 4
    snapshot = read_snapshot(study_of(cohort).store_folder)
    assert snapshot.case_ids == ("SYN-0001", "SYN-0002", "SYN-0004", "SYN-0005", "SYN-0006")
    assert [(q.case_id, q.code) for q in snapshot.quarantined] == [(BAD, code)]


@pytest.mark.parametrize("name", ["a flipped byte", "a mask 20 mm away", "no mask"])
def test_the_gate_finds_what_the_build_would(name: str, cohort: Path) -> None:
    code, spoil = DEFECTS[name]
    spoilt(cohort, spoil)
    checked = cohort_check.run(study_of(cohort), executor=InProcess())
    assert [(f.case_id, f.code) for f in checked.failures] == [(BAD, code)]
    assert (checked.flow.read, checked.flow.included, checked.exit_code) == (6, 5, 4)
    assert [e.count for e in checked.flow.exclusions] == [1]


def test_the_gate_changes_nothing(cohort: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in sorted(cohort.parent.rglob("*"))}
    checked = cohort_check.run(study_of(cohort), executor=InProcess())
    assert checked.exit_code == 0
    assert {p: p.stat().st_mtime_ns for p in sorted(cohort.parent.rglob("*"))} == before


def test_a_drift_of_a_hair_is_snapped_and_said(cohort: Path) -> None:
    spoilt(cohort, lambda _, mask: moved(mask, 5e-4))
    checked = cohort_check.run(study_of(cohort), executor=InProcess())
    assert not checked.failures
    flags = {(n.case_id, n.flag) for n in checked.notices}
    assert (BAD, "geometry_snapped") in flags
    assert ("SYN-0001", "geometry_snapped") not in flags


def test_numbers_that_are_hardly_hu_are_named_with_code_and_step_and_let_in(cohort: Path) -> None:
    # The intercept was never applied: air lies at 24, tissue at 1064.
    spoilt(cohort, lambda ct, _: voxels(ct, lambda a: a + 1024))
    checked = cohort_check.run(study_of(cohort), executor=InProcess())
    assert (checked.flow.included, checked.exit_code) == (6, 0)
    (notice,) = [n for n in checked.notices if n.code]
    assert (notice.case_id, notice.flag, notice.code) == (BAD, "hu_suspect", Code.HU_RANGE)
    told = [n for n in checked.as_json()["notices"] if n["flag"] == "hu_suspect"]
    assert told[0]["code"] == "E_HU_RANGE"
    assert told[0]["next_step"].startswith("Check rescale slope and intercept")
    shown = hnmets("cohort", "check", "--study", cohort).stdout
    assert "E_HU_RANGE: Check rescale slope and intercept" in shown
    assert f"Not left out: {BAD}" in shown


def test_a_sheet_with_a_case_that_cannot_be_read_ends_with_its_own_code(
    cohort: Path, tmp_path: Path
) -> None:
    spoilt(cohort, lambda ct, _: cut(ct, keep=0.5) and None)
    done = hnmets("features", "sheet", "--study", cohort, "--out", tmp_path / "sheet")
    assert done.returncode == 4, done.stderr
    assert "E_IMG_CORRUPT: Copy the file again" in done.stdout
    assert (tmp_path / "sheet" / "sheet-1.png").exists()
    others = ("--cases", "SYN-0001,SYN-0002", "--out", tmp_path / "others")
    assert hnmets("features", "sheet", "--study", cohort, *others).returncode == 0
