"""One patient's explanation: of the risk that the ladder states, and nothing of it a face."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cli.explain import explain as command
from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import UsageError
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.workflows import ablate, explain, report
from hnmets.workflows.case_reader import read_case, readings_of
from hnmets.workflows.explain_image import FoldNetwork, explain_image
from hnmets.workflows.ladder import Choice
from hnmets.workflows.study import Study
from tests.builders_cohorts import case_of, hnmets, study_of
from tests.builders_ladders import every_modality
from tests.explanation.networks import swin, trained_on_cubes


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return every_modality(tmp_path_factory.mktemp("explain"))


@pytest.fixture(scope="module")
def imaged(shared_cohort: Path) -> tuple[Study, ImagedCase]:
    study = study_of(shared_cohort)
    (reading,) = readings_of(study, [case_of(study, "SYN-0001")])
    return study, read_case(reading).case


def network(study: Study) -> FoldNetwork:
    embedding = Embedding(rules=study.regions, parameters=EmbeddingParameters(preset="ci"))
    return FoldNetwork(name="swin", classifier=swin(), embedding=embedding)


def test_it_explains_the_risk_that_the_ladder_states(study: Study, tmp_path: Path) -> None:
    main = ablate.run(study, tracker=InMemoryTracker()).scores[-1].out_of_fold
    for patient in (0, 41):
        found = explain.run(study, f"HN-{patient:03d}", tmp_path)
        assert found.rung == main.rung.name
        place = main.predictions.patient_ids.index(f"P{patient:03d}")
        assert found.risk == pytest.approx(main.predictions.risk[0, place], abs=1e-4)
        assert found.event == main.predictions.outcome[place]


def test_what_is_written_adds_up_to_the_log_odds(study: Study, tmp_path: Path) -> None:
    found = explain.run(study, "HN-003", tmp_path)
    written = json.loads((tmp_path / "explanation.json").read_text())
    log_odds = np.log(written["risk"] / (1 - written["risk"]))
    for part in (written["modalities"], written["columns"]):
        total = part["base"] + sum(each["log_odds"] for each in part["values"])
        assert total == pytest.approx(log_odds, abs=1e-6)
    names = {each["name"] for each in written["modalities"]["values"]}
    assert names == {"clinical", "size.tumour", "radiomics.tumour", "embedding.both"}
    assert {drop["modality"] for drop in written["modality_drop"]} == names
    assert written["image"] == {"none": "no backbone was trained in this fold"}
    assert [file.name for file in found.files] == ["explanation.json", "risk.png"]
    assert all(file.stat().st_size > 0 for file in found.files)


def test_a_case_without_an_image_is_explained_by_its_tables(study: Study, tmp_path: Path) -> None:
    asked: list[str] = []

    def network_of(fold: str) -> FoldNetwork:
        asked.append(fold)
        return FoldNetwork(name="swin", classifier=swin(), embedding=None)  # type: ignore[arg-type] - never asked

    found = explain.run(study, "HN-003", tmp_path, network_of=network_of)
    assert found.image == "the cohort names no image for this case"
    assert asked == [found.fold]


def test_a_case_that_nobody_knows_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no case 'HN-999' in the cohort"):
        explain.run(study, "HN-999", tmp_path)


def test_the_program_writes_one_document_or_tells_a_person(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    file = study.folder / "study.toml"
    done = hnmets("explain", "--case", "HN-003", "--study", file, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "explanation.json").read_text())
    command("HN-003", study=file, out=out)
    told = capsys.readouterr().out
    assert "which holds the patient out" in told
    assert "no image side: no backbone was trained in this fold" in told


def test_the_report_that_is_named_is_of_the_ladder_and_not_of_a_later_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = every_modality(tmp_path)
    file = own.folder / "study.toml"
    command("HN-003", study=file, out=tmp_path / "out")
    assert "no run of this ladder is kept" in capsys.readouterr().out
    ladder = ablate.run(own, tracker=InMemoryTracker())
    ablate.run(own, choice=Choice(only=("radiomics tumour",)), tracker=InMemoryTracker())
    command("HN-003", study=file, out=tmp_path / "out")
    key = ladder.run[:8]
    assert f"shows it too: hnmets report {key}\n" in capsys.readouterr().out
    page = report.run(own, tmp_path / "report.html", asked=key).read_text()
    assert "<h3>HN-003: risk" in page


def test_an_image_is_explained_by_gradients_and_hidden_regions(
    imaged: tuple[Study, ImagedCase], tmp_path: Path
) -> None:
    study, case = imaged
    found = explain_image(case, network(study), tmp_path)
    assert found.gradients.completeness_error < 0.01
    assert not found.weight_dependence
    assert {each.region for each in found.occlusions} == set(case.regions)
    assert found.occlusions[0].region == "tumour"
    assert found.occlusions[0].look_and_contour is not None
    # 32³ voxels leave the last stage one place: no map of it.
    assert list(found.shares) == ["integrated gradients"]
    assert [file.name for file in found.files] == [
        "overlay.png",
        "ct.nii.gz",
        "integrated-gradients.nii.gz",
    ]
    json.dumps(found.as_json(), allow_nan=False)


def test_the_overlay_lies_on_the_tumour_and_shows_no_more_than_its_surroundings(
    imaged: tuple[Study, ImagedCase], tmp_path: Path
) -> None:
    study, case = imaged
    explain_image(case, network(study), tmp_path)
    written = nibabel.load(tmp_path / "ct.nii.gz")
    low, high = (
        nibabel.affines.apply_affine(written.affine, corner)
        for corner in ((0, 0, 0), np.array(written.shape) - 1)
    )
    masks = np.any([r.mask for name in ("tumour", "ring") for r in case.regions[name]], axis=0)
    corners = np.argwhere(masks)
    ends = [case.ct.geometry.position_mm(tuple(c)) for c in (corners.min(0), corners.max(0))]
    # NIfTI's x and y point the other way round.
    ends_ras = np.array(ends) * (-1, -1, 1)
    margins = np.abs(np.sort([low, high], axis=0) - np.sort(ends_ras, axis=0))
    voxel_mm = max(*case.ct.geometry.spacing_mm, float(np.abs(written.affine[0, 0])))
    # A centimetre, give or take a voxel of each grid; less where the crop ends before.
    assert (margins < 10 + 2 * voxel_mm).all()


def test_a_crop_of_several_places_has_a_grad_cam_too(
    imaged: tuple[Study, ImagedCase], tmp_path: Path
) -> None:
    study, case = imaged
    small = replace(network(study), classifier=trained_on_cubes())
    found = explain_image(case, small, tmp_path, shuffles=4)
    assert list(found.weight_dependence) == ["integrated gradients", "Grad-CAM"]
    assert all(abs(left) < 0.3 for left in found.weight_dependence.values())
    assert found.cam.places == (16, 16, 16)
    assert list(found.shares) == ["integrated gradients", "Grad-CAM"]
    assert (tmp_path / "grad-cam.nii.gz").is_file()
