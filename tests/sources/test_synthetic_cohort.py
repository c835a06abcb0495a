"""The folder of a synthetic cohort."""

import csv
import hashlib
import json
import pickle
import tomllib
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from hnmets.domain.errors import UsageError
from hnmets.sources.synthetic.anatomy import Organ
from hnmets.sources.synthetic.cohort import SyntheticCohort, write_case, write_tables
from hnmets.sources.synthetic.oracle import oracle_auc
from hnmets.sources.synthetic.outcome_model import LATENTS, OUTCOME_MODELS

COHORT = SyntheticCohort(cases=3, seed=21, scale=0.25)
NAMES = ("CT_image", "gtv", "organs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    write_tables(COHORT, folder)
    for index in range(COHORT.cases):
        write_case(COHORT, index, folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def table_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "cohort.csv").open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def test_the_same_seed_gives_the_same_bytes_in_any_order(folder: Path, tmp_path: Path) -> None:
    for index in reversed(range(COHORT.cases)):
        write_case(pickle.loads(pickle.dumps(COHORT)), index, tmp_path)  # noqa: S301 - our own
    write_tables(COHORT, tmp_path)
    assert digests(tmp_path) == digests(folder)
    assert len(digests(folder)) == 3 * len(NAMES) + 3


def test_more_cases_leave_the_first_ones_and_another_seed_does_not(
    folder: Path, tmp_path: Path
) -> None:
    longer = SyntheticCohort(cases=40, seed=COHORT.seed, scale=COHORT.scale)
    write_case(longer, 1, tmp_path / "longer")
    write_tables(longer, tmp_path / "longer")
    names = [f"nifti/SYN-0002_{name}.nii.gz" for name in NAMES]
    again, first = digests(tmp_path / "longer"), digests(folder)
    assert [again[name] for name in names] == [first[name] for name in names]
    lines = (tmp_path / "longer/cohort.csv").read_text().splitlines()
    assert lines[:4] == (folder / "cohort.csv").read_text().splitlines()

    write_case(SyntheticCohort(cases=3, seed=22, scale=COHORT.scale), 1, tmp_path / "seed")
    assert digests(tmp_path / "seed")[names[0]] != first[names[0]]


@pytest.mark.parametrize("name", NAMES)
def test_simpleitk_and_nibabel_read_the_same_grid_and_voxels(folder: Path, name: str) -> None:
    path = folder / f"nifti/SYN-0001_{name}.nii.gz"
    itk, nib = sitk.ReadImage(str(path)), nibabel.load(path)
    assert sitk.GetArrayViewFromImage(itk).dtype == (np.int16 if name == "CT_image" else np.uint8)
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(itk).transpose(2, 1, 0), np.asarray(nib.dataobj)
    )
    assert itk.GetDirection() == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    np.testing.assert_allclose(itk.GetSpacing(), nib.header.get_zooms(), rtol=1e-6)
    to_ras = np.diag([-1.0, -1.0, 1.0])
    np.testing.assert_allclose(to_ras @ itk.GetOrigin(), nib.affine[:3, 3], rtol=1e-6)


def test_both_forms_of_the_header_say_the_same(folder: Path) -> None:
    for path in sorted((folder / "nifti").iterdir()):
        header = nibabel.load(path).header
        assert int(header["sform_code"]) == int(header["qform_code"]) == 1
        np.testing.assert_allclose(header.get_sform(), header.get_qform(), atol=1e-5)
        assert header.get_xyzt_units()[0] == "mm"


def test_image_and_label_maps_share_one_grid(folder: Path) -> None:
    for case in ("SYN-0001", "SYN-0002", "SYN-0003"):
        headers = [nibabel.load(folder / f"nifti/{case}_{name}.nii.gz").header for name in NAMES]
        for other in headers[1:]:
            assert other.get_data_shape() == headers[0].get_data_shape()
            np.testing.assert_array_equal(other.get_sform(), headers[0].get_sform())


def test_no_clock_reaches_the_files(folder: Path) -> None:
    for path in (folder / "nifti").iterdir():
        # RFC 1952: flags in byte 3 (no file name), modification time in bytes 4 to 7.
        assert path.read_bytes()[3:8] == bytes(5)


def test_nothing_half_written_is_left(folder: Path) -> None:
    assert not list(folder.rglob("*.part"))


def test_the_table_agrees_with_the_truth(folder: Path) -> None:
    rows = table_of(folder)
    truth = json.loads((folder / "truth.json").read_text())
    assert [r["case_id"] for r in rows] == [p["case_id"] for p in truth["patients"]]
    assert [r["distant_metastasis"] == "1" for r in rows] == [
        p["event"] for p in truth["patients"]
    ]
    assert len({r["patient_id"] for r in rows}) == len(rows)
    for row in rows:
        assert (row["dm_time_days"] == "") == (row["distant_metastasis"] == "0")


def test_the_truth_holds_model_risks_and_oracles(folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    model = OUTCOME_MODELS["B"]
    assert truth["parameters"]["seed"] == 21
    assert truth["outcome_model"]["name"] == "B"
    assert truth["outcome_model"]["spatial"] == model.spatial
    assert len(truth["oracle_auc"]["latents"]) == 31
    for subset, auc in truth["oracle_auc"]["latents"].items():
        assert auc == pytest.approx(oracle_auc(model, subset.split("+")), abs=6e-5)
    assert truth["oracle_auc"]["modalities"]["clinical+radiomics"] == pytest.approx(
        0.79, abs=0.003
    )
    latents = np.array([[p["latents"][name] for name in LATENTS] for p in truth["patients"]])
    np.testing.assert_allclose([p["risk"] for p in truth["patients"]], model.risk(latents))


def test_organs_in_the_truth_are_those_in_the_files(folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["organs"] == {organ.name.lower(): organ.value for organ in Organ}
    labels = np.asarray(nibabel.load(folder / "nifti/SYN-0001_organs.nii.gz").dataobj)
    assert set(np.unique(labels)) <= {0, *truth["organs"].values()}


def test_the_study_file_names_what_is_there(folder: Path) -> None:
    study = tomllib.loads((folder / "study.toml").read_text())
    with (folder / study["cohort"]["manifest"]).open(encoding="utf-8") as table:
        header = next(csv.reader(table))
    wanted = [study["cohort"]["case"], study["cohort"]["patient"]]
    wanted += [study["cohort"]["centre"]["column"]]
    wanted += [study["outcome"][key] for key in ("event", "event_time", "follow_up")]
    wanted += [variable["column"] for variable in study["clinical"].values()]
    assert set(wanted) <= set(header)
    assert {v["known_at"] for v in study["clinical"].values()} == {"baseline"}
    for pattern in (study["cohort"]["image"], study["regions"]["tumour"]["mask"]):
        assert (folder / pattern.format(case="SYN-0003")).is_file()


def test_the_study_file_maps_every_value_of_the_table(tmp_path: Path) -> None:
    write_tables(SyntheticCohort(cases=400, seed=2), tmp_path)
    study = tomllib.loads((tmp_path / "study.toml").read_text())
    rows = table_of(tmp_path)
    for variable in study["clinical"].values():
        if variable["type"] == "category":
            known = {v for values in variable["values"].values() for v in values}
            seen = {row[variable["column"]] for row in rows}
            assert known <= seen <= known | set(variable["missing"])


def test_labels_of_the_study_file_are_tumour_and_nodes(folder: Path) -> None:
    study = tomllib.loads((folder / "study.toml").read_text())
    regions = study["regions"]
    assert (regions["tumour"]["label"], regions["nodes"]["label"]) == (1, 2)
    for index, person in enumerate(COHORT.people()):
        path = folder / regions["tumour"]["mask"].format(case=person.case_id)
        labels = set(np.unique(np.asarray(nibabel.load(path).dataobj)))
        assert labels == ({0, 1} if person.n_stage == "N0" else {0, 1, 2}), index


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"cases": 0}, "at least one case"),
        ({"seed": -1}, "0 or more, not -1"),
        ({"scale": 0.1}, r"between 0\.2 and 1, not 0\.1"),
        ({"scale": float("nan")}, "not nan"),
        ({"spacing_mm": (3.0, 0.0, 1.0)}, "above 0 mm"),
        ({"outcome_model": "D"}, "no outcome model 'D'; there are A, B, C"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SyntheticCohort(**({"cases": 2, "seed": 1} | setting))


def test_slices_get_thinner_with_the_scale_but_not_under_1_mm() -> None:
    assert SyntheticCohort(cases=1, seed=0).voxel_mm == (3.0, 1.0, 1.0)
    assert SyntheticCohort(cases=1, seed=0, scale=0.5).voxel_mm == (1.5, 1.0, 1.0)
    assert SyntheticCohort(cases=1, seed=0, scale=0.2).voxel_mm == (1.0, 1.0, 1.0)
