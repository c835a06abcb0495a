import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import nibabel as nib
import numpy as np
import pytest

from feature_store.snapshot import read_snapshot
from hnmets.domain.errors import Code, UsageError
from hnmets.execution.local import InProcess
from hnmets.workflows import features_build, features_export
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.features_build import Request
from tests.builders_cohorts import age, case_of, hnmets, study_of

QUICK = Request(only=("size", "clinical", "outcome"))
FAMILIES = {
    "cohort": 2,
    "clinical": 8,
    "outcome": 2,
    "size.tumour": 4,
    "size.nodes": 4,
    "radiomics.tumour": 1562,
    "radiomics.ring": 1562,
    "embedding.both": 192,
    "embedding.tumour": 192,
    "embedding.ring": 192,
}


def build(study: Path, request: Request = QUICK, **flags: object) -> BuildReport:
    return features_build.run(study_of(study, **flags), request, executor=InProcess())


def content_hash(study: Path) -> str:
    return read_snapshot(study_of(study).store_folder).content_hash


def total(report: BuildReport) -> int:
    return sum(report.written.values())


def damage(image: Path) -> None:
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])


def test_a_build_fills_every_family_for_every_case(cohort: Path) -> None:
    report = build(cohort, Request())
    snapshot = read_snapshot(study_of(cohort).store_folder)
    features = [c for c in snapshot.coverage() if c.recipe.kind != "audit"]
    assert {c.recipe.name: len(c.recipe.columns) for c in features} == FAMILIES
    assert [c.n_cases for c in features] == [6] * len(FAMILIES)
    assert not report.failures
    assert report.exit_code == 0
    again = build(cohort, Request())
    assert total(again) == 0
    assert sum(again.unchanged.values()) == 6 * len(FAMILIES)


def test_the_database_shows_people_one_row_per_case(cohort: Path) -> None:
    build(cohort, Request(only=("size",)))
    with duckdb.connect(study_of(cohort).store_folder / "features.duckdb", read_only=True) as db:
        views = [name for (name,) in db.sql("select view_name from duckdb_views()").fetchall()]
        (name,) = [name for name in views if name.startswith("wide_size.tumour")]
        [(cases, smallest)] = db.table(name).aggregate("count(*), min(mesh_volume_cc)").fetchall()
    assert cases == 6
    assert smallest > 0


def test_the_past_can_be_exported(cohort: Path, tmp_path: Path) -> None:
    build(cohort, Request(only=("size",), cases=("SYN-0001",)))
    between = datetime.now(UTC)
    build(cohort, Request(only=("size",)))
    study = study_of(cohort)
    now = features_export.run(study, ("size.tumour",), tmp_path, "csv")
    then = features_export.run(study, ("size.tumour",), tmp_path, "csv", as_of=between)
    assert [len(file.read_text().splitlines()) for file in (then, now)] == [2, 7]


def test_two_workers_store_what_one_process_stores(shared_cohort: Path, tmp_path: Path) -> None:
    hashes = set()
    for jobs in (0, 1, 2):
        study = study_of(
            shared_cohort, study__store=str(tmp_path / f"store{jobs}"), build__jobs=max(jobs, 1)
        )
        executor = None if jobs else InProcess()
        features_build.run(study, QUICK, executor=executor)
        hashes.add(read_snapshot(study.store_folder).content_hash)
    assert len(hashes) == 1


def test_two_workers_store_what_one_stores_also_beside_a_defective_case(
    cohort: Path, tmp_path: Path
) -> None:
    image = case_of(study_of(cohort), "SYN-0003").image
    assert image is not None
    damage(image)
    found = set()
    for jobs in (1, 2):
        study = study_of(cohort, study__store=str(tmp_path / f"store{jobs}"), build__jobs=jobs)
        report = features_build.run(study, QUICK)
        snapshot = read_snapshot(study.store_folder)
        problems = [(q.case_id, q.code, q.stage, q.detail) for q in snapshot.quarantined]
        found.add((report.exit_code, snapshot.content_hash, *problems))
    assert len(found) == 1
    assert [problem[:2] for problem in problems] == [("SYN-0003", "E_IMG_CORRUPT")]


def test_a_damaged_image_fails_alone_and_is_tried_again(cohort: Path) -> None:
    image = case_of(study_of(cohort), "SYN-0003").image
    assert image is not None
    sound = image.read_bytes()
    damage(image)
    report = build(cohort)
    (failure,) = report.failures
    assert (failure.case_id, failure.code) == ("SYN-0003", Code.IMAGE_CORRUPT)
    assert report.exit_code == 4
    assert report.written[next(label for label in report.written if "size.tumour" in label)] == 5
    snapshot = read_snapshot(study_of(cohort).store_folder)
    assert [(q.case_id, q.code) for q in snapshot.quarantined] == [("SYN-0003", "E_IMG_CORRUPT")]
    image.write_bytes(sound)
    repaired = build(cohort)
    assert not repaired.failures
    assert total(repaired) == 2
    assert not read_snapshot(study_of(cohort).store_folder).quarantined


def test_a_new_time_stamp_alone_changes_nothing(cohort: Path) -> None:
    build(cohort)
    before = content_hash(cohort)
    image = case_of(study_of(cohort), "SYN-0002").image
    assert image is not None
    os.utime(image)
    report = build(cohort)
    assert total(report) == 0
    assert content_hash(cohort) == before


def test_one_changed_voxel_recomputes_one_patient(cohort: Path) -> None:
    build(cohort)
    image = case_of(study_of(cohort), "SYN-0002").image
    assert image is not None
    volume = nib.load(image)
    voxels = np.asarray(volume.dataobj).copy()
    voxels[0, 0, 0] += 1
    nib.save(nib.Nifti1Image(voxels, volume.affine, volume.header), image)
    report = build(cohort)
    changed = {label.split("@")[0]: n for label, n in report.written.items() if n}
    assert changed == {"size.tumour": 1, "size.nodes": 1}


def test_a_changed_setting_is_another_recipe_beside_the_first(cohort: Path) -> None:
    build(cohort, Request(only=("size",)))
    build(cohort, Request(only=("size",)), regions__tumour__parts="largest")
    recipes = read_snapshot(study_of(cohort).store_folder).recipes
    assert sorted(r.name for r in recipes) == ["size.nodes", "size.tumour", "size.tumour"]


def test_force_computes_again_and_stores_no_second_copy(cohort: Path) -> None:
    build(cohort)
    before = content_hash(cohort)
    report = build(cohort, Request(only=QUICK.only, force=True))
    assert total(report) == 6 * 4
    assert content_hash(cohort) == before


def test_only_the_named_cases_are_built(cohort: Path) -> None:
    report = build(cohort, Request(only=("size",), cases=("SYN-0001", "SYN-0004")))
    assert report.cases == 2
    assert total(report) == 4
    with pytest.raises(UsageError, match="no case 'SYN-9'"):
        build(cohort, Request(cases=("SYN-9",)))


def test_a_dry_run_writes_nothing(cohort: Path) -> None:
    plan = features_build.plan(study_of(cohort), QUICK)
    assert {label.split("@")[0]: dict(reasons) for label, reasons in plan.missing.items()} == {
        name: {"new": 6} for name in ("clinical", "outcome", "size.tumour", "size.nodes")
    }
    assert not study_of(cohort).store_folder.exists()


def test_the_same_image_under_two_patients_is_quarantined_under_both(cohort: Path) -> None:
    study = study_of(cohort)
    first, second = case_of(study, "SYN-0001"), case_of(study, "SYN-0002")
    assert first.image is not None
    assert second.image is not None
    second.image.write_bytes(first.image.read_bytes())
    for region, mask in second.masks.items():
        mask.write_bytes(first.masks[region].read_bytes())
    report = build(cohort)
    assert {(f.case_id, f.code) for f in report.failures} == {
        ("SYN-0001", Code.IMAGE_DUPLICATE),
        ("SYN-0002", Code.IMAGE_DUPLICATE),
    }


def test_new_weights_embed_the_crops_that_are_there(cohort: Path) -> None:
    build(cohort, Request(only=("embedding",)))
    for case_id in ("SYN-0001", "SYN-0002"):
        image = case_of(study_of(cohort), case_id).image
        assert image is not None
        stat = image.stat()
        # Same size, same time, no image: whoever reads it fails.
        image.write_bytes(b"\0" * stat.st_size)
        os.utime(image, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    report = build(cohort, Request(only=("embedding",)), embedding__seed=5)
    assert not report.failures
    assert total(report) == 6 * 3


def test_a_case_that_takes_too_long_or_too_much_is_quarantined(cohort: Path) -> None:
    # Importing PyRadiomics alone takes longer in a fresh worker.
    slow = features_build.run(
        study_of(cohort, build__time_limit_s=0.3),
        Request(only=("radiomics",), cases=("SYN-0001",)),
    )
    assert [f.code for f in slow.failures] == [Code.TIMEOUT]
    large = build(cohort, Request(only=("size",)), build__memory_limit_gib=0.0001)
    assert {f.code for f in large.failures} == {Code.IMAGE_TOO_LARGE}


def test_the_program_says_what_it_did(cohort: Path) -> None:
    arguments = ("features", "build", "--study", cohort, "--only", "size", "--json")
    first = hnmets(*arguments)
    assert first.returncode == 0, first.stderr
    assert sum(json.loads(first.stdout)["written"].values()) == 12
    assert "nothing to do" in hnmets(*arguments[:-1]).stdout


def test_a_finished_case_of_a_truncated_gzip_is_named_with_a_way_out(cohort: Path) -> None:
    image = case_of(study_of(cohort), "SYN-0005").image
    assert image is not None
    image.write_bytes(gzip.compress(b"no NIfTI"))
    age(image.parent)
    done = hnmets("features", "build", "--study", cohort, "--only", "size")
    assert done.returncode == 4
    assert "SYN-0005" in done.stdout
    assert "E_IMG_CORRUPT" in done.stdout
    assert "Copy the file again" in done.stdout
