"""A study file is read whole or refused with everything that is wrong in it."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.domain.region import DrawnRegion, RingRegion
from hnmets.workflows.study import Study, json_schema, load_study
from tests.builders_studies import DATED, OUTCOME, TABLES_ONLY, study_of, write

IMAGED = """\
[study]
name = "imaged"

[cohort]
image = "nifti/{case}_CT.nii.gz"

[regions.tumour]
mask = "nifti/{case}_gtv.nii.gz"
label = 1

[rings.ring]
around = "tumour"
distance_mm = 3
"""
AGE = '[clinical.age]\ncolumn = "age"\ntype = "number"\nknown_at = "baseline"\n'
SEX = '[clinical.sex]\ncolumn = "s"\ntype = "category"\nvalues = { f = ["w"] }\n'
NOTE = '[clinical.note]\ncolumn = "n"\ntype = "category"\n'


def refusal(folder: Path, toml: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(InvalidDataError) as caught:
        study_of(folder, toml, environ=environ)
    return str(caught.value).replace(f"{folder}/", "")


def values(study: Study) -> dict[str, tuple[object, str]]:
    return {setting.name: (setting.value, setting.origin) for setting in study.settings()}


def test_a_small_study_has_defaults_for_the_rest(tmp_path: Path) -> None:
    study = study_of(tmp_path, IMAGED)
    assert study.regions == {
        "tumour": DrawnRegion(mask="nifti/{case}_gtv.nii.gz", label=1),
        "ring": RingRegion(around="tumour", distance_mm=3.0),
    }
    assert study.radiomics.regions == ("tumour", "ring")
    assert study.size.regions == ("tumour",)
    assert len(study.radiomics.parameters.columns) == 1562
    assert (study.build.limits.time_s, study.build.limits.memory_gib) == (900.0, 8.0)
    assert study.build.jobs >= 1


def test_every_mistake_is_shown_at_once_with_its_line_and_the_closest_setting(
    tmp_path: Path,
) -> None:
    message = refusal(
        tmp_path,
        """\
[study]
nam = "x"

[cohort]
manifst = "cohort.csv"
case = 7

[regions.tumour]
mask = "m"
parts = "lagest"
labell = 1

[clinical.age]
column = "age"
type = "number"
minimum = 20
maximum = 10

[clinical."a b"]
column = "x"
type = "category"

[reggions.x]
mask = "m"
""",
    )
    assert message.splitlines() == [
        "study.toml: 9 problems",
        "  line 1: study.name: is required",
        "  line 2: study.nam: unknown setting; closest is 'name'",
        "  line 5: cohort.manifst: unknown setting; closest is 'manifest'",
        "  line 6: cohort.case: input should be a valid string, not 7",
        "  line 10: regions.tumour.parts: input should be 'union', 'largest' or 'separate', "
        "not 'lagest'",
        "  line 11: regions.tumour.labell: unknown setting; closest is 'label'",
        "  line 13: clinical.age: `minimum` is above `maximum`",
        "  line 19: clinical.a b: a name starts with a letter and holds letters, digits and "
        "underscores",
        "  line 23: reggions: unknown setting; closest is 'regions'",
    ]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[study]\nname = x\n", "line 2"),
        ('[study]\nname = "a"\nname = "b"\n', "Cannot overwrite a value"),
        ("[study\n", "line 1"),
    ],
)
def test_broken_toml_names_the_line(tmp_path: Path, toml: str, message: str) -> None:
    assert message in refusal(tmp_path, toml)


def test_an_absent_study_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="No such file") as caught:
        load_study(tmp_path / "study.toml")
    assert "hnmets init" in caught.value.__notes__[0]


def test_a_number_in_quotes_or_a_truth_value_is_no_number(tmp_path: Path) -> None:
    message = refusal(tmp_path, IMAGED.replace("label = 1", "label = true"))
    assert "line 9: regions.tumour.label: input should be a valid integer, not True" in message
    message = refusal(tmp_path, IMAGED.replace("mm = 3", 'mm = "3"'))
    assert "rings.ring.distance_mm: input should be a valid number, not '3'" in message


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    toml = IMAGED + "[build]\njobs = 2\nmemory_limit_gib = 3\ntime_limit_s = 5\n"
    study = study_of(
        tmp_path,
        toml,
        environ={
            "HNMETS_BUILD__JOBS": "4",
            "HNMETS_BUILD__MEMORY_LIMIT_GIB": "6",
            "HNMETS_STUDY": "x",
        },
        flags={"build.jobs": 8, "build.memory_limit_gib": None},
    )
    found = values(study)
    assert found["build.jobs"] == (8, "flag")
    assert found["build.memory_limit_gib"] == (6.0, "env HNMETS_BUILD__MEMORY_LIMIT_GIB")
    assert found["build.time_limit_s"] == (5.0, "study.toml")
    assert found["size.regions"] == (["tumour"], "default")
    assert found["regions.tumour.mask"] == ("nifti/{case}_gtv.nii.gz", "study.toml")
    assert found["regions.tumour.parts"] == ("union", "default")


def test_the_environment_reaches_names_in_any_case_and_values_of_any_type(tmp_path: Path) -> None:
    toml = IMAGED.replace("[regions.tumour]", "[regions.GTVp]").replace('"tumour"', '"GTVp"')
    study = study_of(
        tmp_path,
        toml,
        environ={
            "HNMETS_STUDY__NAME": "2024",  # a name, although it looks like a number
            "HNMETS_REGIONS__GTVP__LABEL": "7",
            "HNMETS_RADIOMICS__REGIONS": '["ring"]',
            "HNMETS_OUTCOME_IS_NOT_A_SETTING": "1",
        },
    )
    assert study.about.name == "2024"
    assert study.drawn["GTVp"].label == 7
    assert study.radiomics.regions == ("ring",)


def test_a_mistake_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    message = refusal(tmp_path, IMAGED, {"HNMETS_BUILD__JOB": "4"})
    assert "env HNMETS_BUILD__JOB: build.job: unknown setting; closest is 'jobs'" in message


def test_paths_hang_on_the_study_file_or_on_the_root(tmp_path: Path) -> None:
    study = study_of(tmp_path, TABLES_ONLY)
    assert (study.root, study.store_folder) == (tmp_path, tmp_path / "store")
    moved = study_of(tmp_path, TABLES_ONLY, environ={"HNMETS_COHORT__ROOT": "/data"})
    assert (moved.root, moved.store_folder) == (Path("/data"), tmp_path / "store")


def test_the_root_alone_may_hold_a_variable(tmp_path: Path) -> None:
    toml = TABLES_ONLY + 'root = "${MY_DATA}/few"\n'
    study = study_of(tmp_path, toml, environ={"MY_DATA": "/data"})
    assert study.root == Path("/data/few")
    assert values(study)["cohort.root"] == ("${MY_DATA}/few", "study.toml")
    assert "MY_DATA is not set" in refusal(tmp_path, toml)
    elsewhere = TABLES_ONLY.replace("cohort.csv", "${MY_DATA}.csv")
    assert study_of(tmp_path, elsewhere).cohort.manifest == "${MY_DATA}.csv"


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (IMAGED.replace('"tumour"', '"tumor"'), "around: no region 'tumor'; closest is 'tumour'"),
        (IMAGED + "[rings.thin]\ndistance_mm = -5.0\n", "rings.thin: `distance_mm` is -5"),
        (IMAGED + '[rings.tumour]\naround = "tumour"\n', "rings.tumour: is a region too"),
        (IMAGED + '[size]\nregions = ["node"]\n', "size.regions: no region or ring 'node'"),
        (IMAGED + AGE, "clinical.age: needs a table"),
        (IMAGED + OUTCOME, "outcome: needs a table"),
        (IMAGED.replace("{case}_gtv", "{scan}_gtv"), "only {case} can be filled in"),
        (TABLES_ONLY + '[regions.tumour]\nmask = "m"\n', "without [cohort] image has no regions"),
        (TABLES_ONLY.replace('case = "id"', ""), "`manifest` needs `case`"),
        (TABLES_ONLY + 'centre = { pattern = "HN" }\n', "needs one group in parentheses"),
        (TABLES_ONLY + 'centre = { pattern = "(" }\n', "is no regular expression"),
        (TABLES_ONLY + "centre = {}\n", "give `column`, `pattern`, or both"),
        (TABLES_ONLY + 'separator = "::"\n', "`separator` is one character"),
        (TABLES_ONLY + "[build]\njobs = 0\n", "at least 1"),
        (
            TABLES_ONLY + SEX + '[evaluation]\nsubgroups = ["sx"]\n',
            "evaluation.subgroups: no clinical variable 'sx'; closest is 'sex'",
        ),
        (TABLES_ONLY + '[evaluation]\nsubgroups = ["centre"]\n', "no clinical variable 'centre'"),
        (
            TABLES_ONLY + NOTE + '[evaluation]\nsubgroups = ["note"]\n',
            "'note' has no `values` in [clinical.note]",
        ),
        (
            TABLES_ONLY + '[clinical.scanned]\ncolumn = "d"\ntype = "date"\n'
            '[evaluation]\nacquisition = ["scanned"]\n',
            "'scanned' is a date; declare the year as a number",
        ),
        ('[study]\nname = "x"\n[cohort]\n', "give `manifest`, or an `image` pattern"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_each_other_are_refused(
    tmp_path: Path, toml: str, message: str
) -> None:
    assert message in refusal(tmp_path, toml)


def predictor(name: str, column: str, extra: str = "") -> str:
    return (
        f'[clinical.{name}]\ncolumn = "{column}"\ntype = "number"\nknown_at = "baseline"\n{extra}'
    )


@pytest.mark.parametrize(
    ("name", "column"),
    [("x", "time1"), ("x", "time5"), ("survival", "x"), ("x", "Death"), ("x", "Locoregional")],
)
def test_a_predictor_that_smells_of_the_future_is_refused(
    tmp_path: Path, name: str, column: str
) -> None:
    message = refusal(tmp_path, TABLES_ONLY + predictor(name, column))
    assert f"clinical.{name}: '{column}' smells of the future" in message


def test_all_refused_predictors_are_named_together(tmp_path: Path) -> None:
    message = refusal(tmp_path, TABLES_ONLY + predictor("a", "time1") + predictor("b", "time2"))
    assert message.startswith("study.toml: 2 problems")


def test_a_reason_lets_a_predictor_pass_and_is_kept(tmp_path: Path) -> None:
    reason = "tested on the biopsy"
    allowed = predictor("hpv", "HPV status", f'override_reason = "{reason}"\n')
    study = study_of(tmp_path, TABLES_ONLY + allowed)
    assert study.predictors["hpv"].override_reason == reason
    blank = allowed.replace(reason, "  ")
    assert "smells of the future ('status')" in refusal(tmp_path, TABLES_ONLY + blank)


def test_no_reason_makes_the_outcome_a_predictor(tmp_path: Path) -> None:
    for column in ("dm", "dm_days", "fu_days"):
        toml = TABLES_ONLY + DATED + predictor("x", column, 'override_reason = "please"\n')
        assert "can never be a predictor" in refusal(tmp_path, toml)


def test_what_does_not_say_baseline_is_described_and_no_predictor(tmp_path: Path) -> None:
    later = '[clinical.days]\ncolumn = "time3"\ntype = "number"\n'
    study = study_of(tmp_path, TABLES_ONLY + AGE + later)
    assert list(study.predictors) == ["age"]
    assert [table.recipe.columns for table in study.tables] == [
        ("patient_id", "centre"),
        ("age",),
    ]


def test_the_tables_of_a_study_are_its_patients_predictors_and_outcome(tmp_path: Path) -> None:
    sex = (
        '[clinical.sex]\ncolumn = "s"\ntype = "category"\nknown_at = "baseline"\n'
        'values = { female = ["F"], male = ["M"] }\n'
    )
    roster, clinical, endpoint = study_of(tmp_path, TABLES_ONLY + AGE + sex + DATED).tables
    assert roster.recipe.columns == ("patient_id", "centre")
    assert clinical.recipe.columns == ("age", "sex")
    assert clinical.recipe.types == ("double", "text")
    within = study_of(tmp_path, TABLES_ONLY + DATED + "horizon_months = 24\n").tables[-1]
    # Another definition of the event is another recipe.
    assert endpoint.recipe.fingerprint != within.recipe.fingerprint


def test_the_schema_describes_every_section_and_is_json() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert set(schema["properties"]) >= {
        "study", "cohort", "regions", "rings", "clinical", "outcome", "radiomics", "size", "build",
    }  # fmt: skip
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["study", "cohort"]


def test_a_study_travels_to_a_worker(tmp_path: Path) -> None:
    study = study_of(tmp_path, IMAGED)
    copy = pickle.loads(pickle.dumps(study))  # noqa: S301  # our own bytes
    assert (copy, copy.root, copy.settings()) == (study, study.root, study.settings())


def test_loading_a_study_and_a_csv_is_light(tmp_path: Path) -> None:
    file = write(tmp_path, toml=TABLES_ONLY, rows=["id,age", "a,6"])
    program = (
        "import sys; from pathlib import Path; from hnmets.workflows.study import load_study; "
        "from hnmets.workflows.cohort_table import read_cohort; "
        f"assert len(read_cohort(load_study(Path({str(file)!r}))).cases) == 1; "
        "heavy = {'torch', 'monai', 'SimpleITK', 'radiomics', 'polars', 'duckdb', 'pandas'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_what_no_run_can_know_is_said_by_item_of_tripod(tmp_path: Path) -> None:
    said = study_of(tmp_path, TABLES_ONLY + '[tripod]\n"17" = "Approved by committee A."\n')
    assert said.tripod == {"17": "Approved by committee A."}
    wrong = refusal(tmp_path, TABLES_ONLY + '[tripod]\n"99" = "No such item."\n')
    assert "TRIPOD+AI has no item '99'" in wrong
