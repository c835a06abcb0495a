"""Only what the study means leaves the store."""

from pathlib import Path

import nibabel as nib
import numpy as np
import polars as pl

from hnmets.execution.local import InProcess
from hnmets.workflows import features_build, features_export, features_show, features_status
from hnmets.workflows.features_build import Request
from hnmets.workflows.study import Study
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


def test_touched_files_count_as_unchanged(cohort: Path) -> None:
    study = built(study_of(cohort))
    image = case_of(study, "SYN-0001").image
    assert image is not None
    image.touch()
    report = features_build.run(study, Request(only=("size",)), executor=InProcess())
    assert sum(report.written.values()) == 0
    assert sum(report.unchanged.values()) == 12
