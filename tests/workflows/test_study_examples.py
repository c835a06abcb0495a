"""The study files that ship: examples on real data, the template, the synthetic cohort's."""

import re
import tomllib
from pathlib import Path

import pytest

from hnmets.datasets.split_parameters import SplitParameters
from hnmets.domain.case import Case
from hnmets.domain.errors import Code, InvalidDataError
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.selection.reference import SelectionParameters
from hnmets.sources.flow import Exclusion
from hnmets.sources.synthetic.study_file import study_text
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.init import template
from hnmets.workflows.study import Study, load_study
from hnmets.workflows.study_sections import EvaluationSection
from tests.builders_studies import study_of

EXAMPLES = Path(__file__).parents[2] / "examples"
HN_FILES = ["hn-pet-ct/study.toml", "hn-pet-ct/study-volumes.toml"]


def example(name: str, real_data: Path, **settings: object) -> Study:
    flags = {key.replace("__", "."): value for key, value in settings.items()}
    return load_study(EXAMPLES / name, environ={"HNMETS_REAL_DATA": str(real_data)}, flags=flags)


def cohort(name: str, real_data: Path, **settings: object) -> Cohort:
    return read_cohort(example(name, real_data, **settings))


def test_the_template_is_a_study(tmp_path: Path) -> None:
    study = study_of(tmp_path, template())
    assert list(study.regions) == ["tumour", "nodes", "ring"]
    assert list(study.predictors) == ["age", "sex", "smoking", "alcohol", "hpv"]


def test_every_commented_setting_of_the_template_works_when_uncommented(tmp_path: Path) -> None:
    lines = template().splitlines()
    # A comment in prose has neither a key nor a table behind its sign.
    setting = re.compile(r"# (?=\S+ = |\[)")
    settings = [setting.sub("", line) if setting.match(line) else line for line in lines]
    assert sum(a != b for a, b in zip(lines, settings, strict=True)) == 16
    study = study_of(tmp_path, "\n".join(settings), environ={"MY_DATA": "/data"})
    assert study.outcome is not None
    assert study.outcome.horizon == 730.5
    assert study.root == Path("/data/head-and-neck")
    assert study.cohort.exclude == {"HN-007": "withdrew consent"}
    assert study.subgroups == ("centre", "sex", "age")
    assert [view.name for view in study.evaluation.views] == ["age + sex"]
    assert [*study.tripod] == ["3b", "17", "18a"]
    assert (study.backbone.weighting, study.backbone.frozen_tables) == ("balanced", True)


def test_what_the_template_says_of_training_folds_selection_and_evaluation_are_defaults(
    tmp_path: Path,
) -> None:
    study = study_of(tmp_path, template())
    assert {"backbone", "split", "selection", "evaluation"} <= tomllib.loads(template()).keys()
    assert study.split == SplitParameters()
    assert study.selection == SelectionParameters()
    assert study.backbone == BackboneParameters()
    assert study.evaluation == EvaluationSection()


def test_the_synthetic_cohort_writes_a_study_that_loads(tmp_path: Path) -> None:
    study = study_of(tmp_path, study_text())
    assert {"tumour", "nodes", "ring"} <= study.regions.keys()
    assert {"age", "sex", "smoking", "alcohol"} <= study.predictors.keys()


@pytest.mark.parametrize("name", [*HN_FILES, "sts/study.toml"])
def test_the_examples_name_no_folder_of_ours(name: str) -> None:
    content = tomllib.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    assert content["cohort"]["root"].startswith("${HNMETS_REAL_DATA}/")


@pytest.mark.real_data
def test_sts_has_fifteen_cases_with_image_and_mask_and_five_events(real_data: Path) -> None:
    found = cohort("sts/study.toml", real_data)
    assert (len(found.cases), found.events, found.failures, found.findings) == (15, 5, (), ())
    first = found.cases[0]
    assert first.image == real_data / "sts/nifti/STS_002_CT_image.nii.gz"
    assert first.masks == {"tumour": real_data / "sts/nifti/STS_002_CT_mask.nii.gz"}


@pytest.mark.real_data
@pytest.mark.parametrize("name", HN_FILES)
def test_head_neck_pet_ct_has_298_patients_and_40_events(name: str, real_data: Path) -> None:
    found = cohort(name, real_data)
    assert (found.rows_read, len(found.cases), found.patients, found.events) == (298, 298, 298, 40)
    assert found.failures == ()
    # Counted by hand in the ids of the table.
    centres = [case.centre for case in found.cases]
    counts = {centre: centres.count(centre) for centre in set(centres)}
    assert counts == {"CHUS": 101, "HGJ": 91, "CHUM": 65, "HMR": 41}


@pytest.mark.real_data
@pytest.mark.parametrize("name", HN_FILES)
def test_its_dirt_is_named_and_not_swallowed(name: str, real_data: Path) -> None:
    found = cohort(name, real_data)
    known = {variable.name: variable for variable in found.dictionary}
    assert known["sex"].spellings["male"] == {"M": 226, "m": 1}
    assert known["group_stage"].spellings["IVA"] == {
        "stage IVA": 55,
        "Stade IVA": 54,
        "Stage IVA": 21,
    }
    assert known["group_stage"].spellings["II"]["StageII"] == 2
    assert known["group_stage"].missing_as == {"N/A": 2}
    assert known["hpv"].missing_as == {"N/A": 174}
    assert known["hpv"].note.startswith("predictor by override: HPV is tested on the biopsy")
    assert known["days_to_ct"].missing_as["TBD"] == 76
    disorder = [f for f in found.findings if f.code == Code.OUTCOME_ORDER]
    assert sorted((f.count, f.problem) for f in disorder) == [
        (1, "event on day 1554, after the last follow-up on day 1492"),
        (1, "event on day 725, after the last follow-up on day 670"),
        (2, "event without a date"),
    ]
    # What SOURCES does not list: treatment that ends before the diagnosis, or before it begins.
    ends = [f.value for f in found.findings if "end" in f.column or f.column == "time5"]
    assert sorted(ends) == ["-116", "-131", "-149", "-265"]


@pytest.mark.real_data
@pytest.mark.parametrize("name", HN_FILES)
def test_metastasis_within_24_months_has_a_counted_flow(name: str, real_data: Path) -> None:
    found = cohort(name, real_data, outcome__horizon_months=24)
    assert found.flow.exclusions == (
        Exclusion(code=Code.OUTCOME_CENSORED, count=20, by_rule=True),
        Exclusion(code=Code.OUTCOME_ORDER, count=4, by_rule=False),
    )
    # 40 events: 26 in time, 10 later, 2 without a date, 2 after the last follow-up.
    assert (found.flow.read, found.flow.included, found.events) == (298, 274, 26)
    kept = cohort(name, real_data, outcome__horizon_months=24, outcome__censored="keep-negative")
    assert (kept.flow.included, kept.events) == (294, 26)


@pytest.mark.real_data
def test_both_tables_tell_the_same_of_the_same_patients(real_data: Path) -> None:
    one, other = (
        {case.case_id: shared(case) for case in cohort(name, real_data).cases} for name in HN_FILES
    )
    assert one == other


def shared(case: Case) -> tuple[object, ...]:
    volumes = {"tumour_voxels", "tumour_volume", "tumour_area"}
    clinical = {name: value for name, value in case.clinical.items() if name not in volumes}
    return case.patient_id, case.centre, clinical, case.outcome


@pytest.mark.real_data
def test_the_times_of_the_second_table_are_no_predictors(tmp_path: Path, real_data: Path) -> None:
    study = example("hn-pet-ct/study-volumes.toml", real_data)
    times = {f"time{number}" for number in range(1, 6)}
    assert not times & {rule.column for rule in study.predictors.values()}
    assert "time1" in read_cohort(study).unused_columns
    text = (EXAMPLES / "hn-pet-ct/study-volumes.toml").read_text(encoding="utf-8")
    for column in sorted(times):
        declared = f'\n[clinical.x]\ncolumn = "{column}"\ntype = "number"\nknown_at = "baseline"\n'
        with pytest.raises(InvalidDataError, match=f"'{column}' smells of the future"):
            study_of(tmp_path, text + declared, environ={"HNMETS_REAL_DATA": str(real_data)})
