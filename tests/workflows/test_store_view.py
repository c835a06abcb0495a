"""Only what the study means leaves the store."""

import time
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import polars as pl
import pytest

from feature_store.progress import write_progress
from feature_store.store import FeatureStore
from hnmets.execution.local import InProcess
from hnmets.sources.manifest import CohortRule, open_manifest
from hnmets.sources.table import Table
from hnmets.workflows import (
    cohort_table,
    features_build,
    features_export,
    features_show,
    features_status,
)
from hnmets.workflows.ablation_plan import prepare
from hnmets.workflows.features_build import Request
from hnmets.workflows.ladder import Choice
from hnmets.workflows.study import Study, load_study
from tests.builders_cohorts import case_of, study_of

QUICK = Request(only=("cohort", "clinical", "outcome", "size"))


def built(study: Study) -> Study:
    features_build.run(study, QUICK, executor=InProcess())
    return study


def one_voxel(mask: Path) -> None:
    image = nib.load(mask)
    labels = np.zeros(image.shape, np.uint8)
    labels[tuple(np.argwhere(np.asarray(image.dataobj) == 1)[20])] = 1
    nib.save(nib.Nifti1Image(labels, image.affine, image.header), mask)


def exported(study: Study, folder: Path) -> pl.DataFrame:
    return pl.read_parquet(features_export.run(study, (), folder, "parquet"))


def test_a_patient_who_left_the_study_leaves_every_output(cohort: Path, tmp_path: Path) -> None:
    built(study_of(cohort))
    with cohort.open("a") as file:
        file.write('\n[cohort.exclude]\n"SYN-0002" = "withdrew consent"\n')
    study = built(study_of(cohort))
    assert "SYN-0002" not in exported(study, tmp_path)["case_id"]
    assert {c.n_cases for c in features_status.run(study).coverage} == {5}
    assert "not in the cohort" in " ".join(features_show.run(study, "SYN-0002").problems)


def test_the_manifest_is_read_once_by_whoever_looks_at_the_store(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Four of six patients are free of the event: enough for three folds.
    study = built(load_study(cohort, flags={"split.folds": 3}))
    read: list[Path] = []

    def counted(rule: CohortRule, root: Path) -> Table | None:
        read.append(root)
        return open_manifest(rule, root)

    monkeypatch.setattr(cohort_table, "open_manifest", counted)
    prepare(study, Choice())
    features_export.run(study, (), tmp_path, "parquet")
    assert read == [study.root] * 2


def test_an_image_of_two_patients_leaves_under_neither(cohort: Path, tmp_path: Path) -> None:
    study = study_of(cohort)
    first, second = case_of(study, "SYN-0001"), case_of(study, "SYN-0002")
    assert first.image is not None
    assert second.image is not None
    second.image.write_bytes(first.image.read_bytes())
    second.masks["tumour"].write_bytes(first.masks["tumour"].read_bytes())
    cases = exported(built(study), tmp_path)["case_id"].to_list()
    assert cases == ["SYN-0003", "SYN-0004", "SYN-0005", "SYN-0006"]


def test_a_build_of_some_cases_does_not_forget_shared_images(cohort: Path, tmp_path: Path) -> None:
    study = study_of(cohort)
    first, second = case_of(study, "SYN-0001"), case_of(study, "SYN-0002")
    assert first.image is not None
    assert second.image is not None
    second.image.write_bytes(first.image.read_bytes())
    second.masks["tumour"].write_bytes(first.masks["tumour"].read_bytes())
    built(study)
    for request in (Request(only=("clinical",)), Request(only=("size",), cases=("SYN-0001",))):
        features_build.run(study, request, executor=InProcess())
        cases = exported(study, tmp_path)["case_id"].to_list()
        assert cases == ["SYN-0003", "SYN-0004", "SYN-0005", "SYN-0006"]


def test_a_changed_study_exports_its_present_recipes(cohort: Path, tmp_path: Path) -> None:
    built(study_of(cohort))
    study = built(study_of(cohort, clinical__age__unit="a"))
    frame = exported(study, tmp_path)
    assert frame.height == 6
    assert frame.columns.count("clinical.age") == 1
    assert {"cohort.patient_id", "cohort.centre", "outcome.event"} <= set(frame.columns)


def test_an_export_carries_its_recipes(cohort: Path, tmp_path: Path) -> None:
    study = built(study_of(cohort))
    file = features_export.run(study, ("size.tumour",), tmp_path, "parquet")
    (about,) = [v for k, v in pl.read_parquet_metadata(file).items() if k.startswith("recipe.")]
    assert '"grid":"native"' in about


def test_problems_of_images_stay_until_somebody_looks_again(cohort: Path) -> None:
    study = study_of(cohort)
    image = case_of(study, "SYN-0003").image
    assert image is not None
    sound = image.read_bytes()
    image.write_bytes(sound[:1000])
    built(study)
    features_build.run(study, Request(only=("clinical",)), executor=InProcess())
    assert [q.case_id for q in features_status.run(study).quarantined] == ["SYN-0003"]
    image.write_bytes(sound)
    built(study)
    assert not features_status.run(study).quarantined


def test_a_problem_of_one_family_outlives_builds_of_another(cohort: Path) -> None:
    study = study_of(cohort, regions__tumour__minimum_voxels=1, regions__tumour__minimum_slices=1)
    case = case_of(study, "SYN-0003")
    one_voxel(case.masks["tumour"])
    radiomics = Request(only=("radiomics",), cases=("SYN-0003",))
    features_build.run(study, radiomics, executor=InProcess())
    problems = [(q.case_id, q.stage) for q in features_status.run(study).quarantined]
    assert problems == [("SYN-0003", "radiomics.tumour")]
    features_build.run(study, Request(only=("size",)), executor=InProcess())
    assert [(q.case_id, q.stage) for q in features_status.run(study).quarantined] == problems


IMAGE_BASED = ("size.tumour", "size.nodes")


def missing(study: Study) -> dict[str, tuple[str, ...]]:
    return {c.recipe.name: c.missing for c in features_status.run(study).coverage}


def sizes(study: Study, folder: Path) -> pl.DataFrame:
    frame = pl.read_parquet(features_export.run(study, IMAGE_BASED, folder, "parquet"))
    return frame.sort("case_id")


@pytest.mark.parametrize("broken", ["image", "tumour"])
@pytest.mark.parametrize("request_", [QUICK, Request(only=("size",), cases=("SYN-0003",))])
def test_rows_of_a_file_that_was_replaced_by_a_broken_one_do_not_leave(
    cohort: Path, tmp_path: Path, broken: str, request_: Request
) -> None:
    study = built(study_of(cohort))
    before = sizes(study, tmp_path)
    case = case_of(study, "SYN-0003")
    file = case.image if broken == "image" else case.masks[broken]
    assert file is not None
    sound = file.read_bytes()
    file.write_bytes(sound[: len(sound) // 2])
    features_build.run(study, request_, executor=InProcess())
    assert "SYN-0003" not in sizes(study, tmp_path)["case_id"]
    assert missing(study)["size.tumour"] == ("SYN-0003",)
    assert missing(study)["clinical"] == ()
    assert [q.stage for q in features_status.run(study).quarantined] == ["read"]
    # The history keeps them, and another build that looks at no image does not free them.
    assert features_show.run(study, "SYN-0003").parts[-1].title.startswith("size.")
    features_build.run(study, Request(only=("clinical",)), executor=InProcess())
    assert missing(study)["size.tumour"] == ("SYN-0003",)
    file.write_bytes(sound)
    built(study)
    assert sizes(study, tmp_path).equals(before)
    assert missing(study)["size.tumour"] == ()


def test_rows_of_a_region_that_became_too_small_do_not_leave(cohort: Path, tmp_path: Path) -> None:
    study = built(study_of(cohort))
    one_voxel(case_of(study, "SYN-0003").masks["tumour"])
    built(study)
    assert "SYN-0003" not in sizes(study, tmp_path)["case_id"]


def test_rows_of_the_same_file_leave_although_measuring_it_again_failed(
    cohort: Path, tmp_path: Path
) -> None:
    built(study_of(cohort))
    # The limit changes, not the file: what is stored is still true of it.
    study = study_of(cohort, build__memory_limit_gib=1e-6)
    again = Request(only=("size",), force=True)
    assert features_build.run(study, again, executor=InProcess()).quarantined == 6
    assert sizes(study, tmp_path).height == 6


def test_the_past_is_exported_as_it_was(cohort: Path, tmp_path: Path) -> None:
    study = built(study_of(cohort))
    then = datetime.now(tz=UTC)
    one_voxel(case_of(study, "SYN-0003").masks["tumour"])
    built(study)
    file = features_export.run(study, IMAGE_BASED, tmp_path, "parquet", as_of=then)
    assert pl.read_parquet(file).height == 6


def test_touched_files_count_as_unchanged(cohort: Path) -> None:
    study = built(study_of(cohort))
    image = case_of(study, "SYN-0001").image
    assert image is not None
    image.touch()
    report = features_build.run(study, Request(only=("size",)), executor=InProcess())
    assert sum(report.written.values()) == 0
    assert sum(report.unchanged.values()) == 12


def test_status_tells_a_build_from_other_writers_and_forgets_old_progress(cohort: Path) -> None:
    study = built(study_of(cohort))
    assert features_status.run(study).activity == "no build is running"
    with FeatureStore.open(study.store_folder, clock=lambda: datetime.now(tz=UTC)):
        # The build above has left its progress behind.
        write_progress(study.store_folder, {"done": 6, "total": 6, "at": time.time() - 60})
        assert features_status.run(study).activity.startswith("the store is being written: PID")
        write_progress(study.store_folder, {"done": 2, "total": 6, "at": time.time()})
        activity = features_status.run(study).activity
        assert activity.startswith("a build is running: PID")
        assert activity.endswith(", 2 of 6 cases")
