"""The gate reads every row and says of each what became of it."""

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hnmets.domain.errors import Code, InvalidDataError
from hnmets.domain.outcome import Outcome
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.study import load_study
from tests.builders_studies import DATED, OUTCOME, TABLES_ONLY, cohort_of, reasons, write

PATIENTS = TABLES_ONLY + 'patient = "patient"\n'
SEX = """\
[clinical.sex]
column = "sex"
type = "category"
values = { female = ["F"], male = ["M", "m"] }
known_at = "baseline"
"""
IMAGES = """\
image = "ct/{case}.nii.gz"

[regions.tumour]
mask = "gtv/{case}.nii.gz"

[regions.nodes]
mask = "nodes"
optional = true
"""


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_clean_table_is_all_included(tmp_path: Path) -> None:
    toml = PATIENTS + 'centre = { pattern = "^([A-Z]+)-" }\n' + SEX + DATED
    rows = ["id,patient,sex,dm,dm_days,fu_days", "HN-1,P1,F,1,200,500", "HN-2,P1,F,0,,600"]
    cohort = cohort_of(tmp_path, toml, rows)
    first, second = cohort.cases
    assert (first.case_id, first.patient_id, first.centre, first.row) == ("HN-1", "P1", "HN", 2)
    assert first.clinical == {"sex": "female"}
    assert (first.outcome, second.outcome) == (
        Outcome(event=True, time_days=200.0),
        Outcome(event=False, time_days=600.0),
    )
    assert (first.image, first.masks) == (None, {})
    assert (cohort.failures, cohort.findings, cohort.warnings) == ((), (), ())
    assert (len(cohort.cases), cohort.patients, cohort.events) == (2, 1, 1)


def test_the_flow_names_one_reason_per_row_and_adds_up(tmp_path: Path) -> None:
    toml = (
        TABLES_ONLY
        + '[cohort.exclude]\n"A" = "withdrew consent"\n'
        + DATED
        + "horizon_days = 365\n"
    )
    rows = [
        "id,dm,dm_days,fu_days",
        "A,1,10,900",
        "B,1,10,900",
        "C,0,,900",
        "D,0,,100",
        "E,0,,200",
        "F,1,,900",
        ",0,,900",
        "G,,,900",
    ]
    cohort = cohort_of(tmp_path, toml, rows)
    flow = cohort.flow
    assert (flow.read, flow.excluded, flow.included) == (8, 6, 2)
    assert {(step.code.value, step.count, step.by_rule) for step in flow.exclusions} == {
        ("E_OUTCOME_CENSORED", 2, True),
        ("E_EXCLUDED", 1, True),
        ("E_OUTCOME_ORDER", 1, False),
        ("E_CASE_ID", 1, False),
        ("E_OUTCOME_MISSING", 1, False),
    }
    assert [failure.case_id for failure in cohort.defects] == ["row 8", "F", "G"]
    details = {failure.case_id: failure.detail for failure in cohort.failures}
    assert details["A"] == "row 2: withdrew consent"
    assert details["D"] == "row 5: followed for 100 days without event, the horizon is 365"


def test_a_row_said_twice_counts_once(tmp_path: Path) -> None:
    rows = ["id,sex,note", "A,M,x", "B,F,", "A,M,y"]
    cohort = cohort_of(tmp_path, TABLES_ONLY + SEX, rows)
    # `note` is nothing the study reads, so it cannot contradict.
    assert [(case.case_id, case.row) for case in cohort.cases] == [("A", 2), ("B", 3)]
    (failure,) = cohort.failures
    assert (failure.code, failure.detail) == (
        Code.ROW_DUPLICATE,
        "row 4: same as row 2, which was kept",
    )


def test_rows_that_contradict_each_other_are_all_left_out(tmp_path: Path) -> None:
    cohort = cohort_of(tmp_path, TABLES_ONLY + SEX, ["id,sex", "A,M", "B,F", "A,F", "A,M"])
    assert [case.case_id for case in cohort.cases] == ["B"]
    assert [failure.code for failure in cohort.failures] == [Code.ROW_CONFLICT] * 3
    assert cohort.failures[0].detail == "row 2: rows 2, 4, 5 differ in 'sex' ('M' or 'F')"


@pytest.mark.parametrize(
    ("one", "other"),
    [("007", "7"), ("hn-1", "HN-1"), ("HN 1", "HN1"), ("Bü", "bu\u0308")],
)
def test_ids_that_differ_in_spelling_alone_are_refused(
    tmp_path: Path, one: str, other: str
) -> None:
    cohort = cohort_of(tmp_path, TABLES_ONLY, ["id,x", f"{one},1", f"{other},2", "C,3"])
    assert reasons(cohort) == {one: "E_CASE_ID", other: "E_CASE_ID"}
    assert [case.case_id for case in cohort.cases] == ["C"]


def test_patients_that_look_alike_would_stand_in_training_and_in_test(tmp_path: Path) -> None:
    cohort = cohort_of(tmp_path, PATIENTS, ["id,patient", "A,P7", "B,p07", "C,P8", "D,"])
    assert reasons(cohort) == dict.fromkeys("ABD", "E_CASE_ID")


@pytest.mark.parametrize(
    ("header", "one", "other"),
    [("birth_year", "1950", "1961"), ("Geburtsdatum", "3.4.1950", "4.3.1950"), ("sex", "M", "F")],
)
def test_one_patient_cannot_be_two_persons(
    tmp_path: Path, header: str, one: str, other: str
) -> None:
    rows = [f"id,patient,{header}", f"A,P1,{one}", f"B,P1,{other}", f"C,P2,{one}", f"D,P2,{one}"]
    cohort = cohort_of(tmp_path, PATIENTS, rows)
    assert reasons(cohort) == {"A": "E_ROW_CONFLICT", "B": "E_ROW_CONFLICT"}
    expected = f"row 2: rows 2, 3 give patient 'P1' two values of {header}"
    assert cohort.failures[0].detail == expected


def test_two_spellings_of_one_sex_are_one_person(tmp_path: Path) -> None:
    rows = ["id,patient,sex", "A,P1,M", "B,P1,m", "C,P1,"]
    assert cohort_of(tmp_path, PATIENTS + SEX, rows).failures == ()


def test_files_are_found_or_missed_one_case_at_a_time(tmp_path: Path) -> None:
    touch(tmp_path, "ct/A.nii.gz", "gtv/A.nii.gz", "ct/B.nii.gz", "gtv/C.nii.gz", "n/A.nii.gz")
    touch(tmp_path, "ct/D.nii.gz", "gtv/D.nii.gz", "ct/E.nii.gz", "gtv/E.nii.gz")
    rows = ["id,nodes", "A,n/A.nii.gz", "B,", "C,", "D,", "E,../out.nii.gz"]
    cohort = cohort_of(tmp_path, TABLES_ONLY + IMAGES, rows)
    first, second = cohort.cases
    assert (first.case_id, second.case_id) == ("A", "D")
    assert first.image == tmp_path / "ct/A.nii.gz"
    assert first.masks == {
        "tumour": tmp_path / "gtv/A.nii.gz",
        "nodes": tmp_path / "n/A.nii.gz",
    }
    # Optional, and absent.
    assert set(second.masks) == {"tumour"}
    assert [(f.case_id, f.code.value, f.detail) for f in cohort.failures] == [
        ("B", "E_IMG_MISSING", "row 3: mask of tumour: no file 'gtv/B.nii.gz'"),
        ("C", "E_IMG_MISSING", "row 4: image: no file 'ct/C.nii.gz'"),
        ("E", "E_PATH", "row 6: mask of nodes: '../out.nii.gz' lies outside the data folder"),
    ]


@pytest.mark.parametrize("value", ["../../x.nii.gz", "/etc/hostname", "link.nii.gz"])
def test_a_manifest_cannot_reach_out_of_the_data_folder(tmp_path: Path, value: str) -> None:
    data = tmp_path / "data"
    touch(tmp_path, "x.nii.gz", "data/ok.nii.gz")
    (data / "link.nii.gz").symlink_to(tmp_path / "x.nii.gz")
    toml = TABLES_ONLY + 'image = "ct"\n'
    cohort = cohort_of(data, toml, ["id,ct", "A,ok.nii.gz", f"B,{value}"])
    assert reasons(cohort) == {"B": "E_PATH"}


def test_an_id_cannot_reach_out_of_the_data_folder_either(tmp_path: Path) -> None:
    touch(tmp_path, "ct/A.nii.gz", "x.nii.gz")
    toml = TABLES_ONLY + 'image = "ct/{case}.nii.gz"\n'
    assert reasons(cohort_of(tmp_path, toml, ["id,n", "A,1", "../x,2"])) == {"../x": "E_PATH"}


def test_two_patients_cannot_share_an_image_and_one_patient_can(tmp_path: Path) -> None:
    touch(tmp_path, "1.nii.gz", "2.nii.gz")
    (tmp_path / "3.nii.gz").symlink_to(tmp_path / "1.nii.gz")
    toml = PATIENTS + 'image = "ct"\n'
    rows = ["id,patient,ct", "A,P1,1.nii.gz", "B,P2,3.nii.gz", "C,P3,2.nii.gz", "D,P3,2.nii.gz"]
    cohort = cohort_of(tmp_path, toml, rows)
    assert reasons(cohort) == {"A": "E_IMG_DUPLICATE", "B": "E_IMG_DUPLICATE"}
    assert cohort.warnings == ("cases 'C', 'D' of one patient share the image '2.nii.gz'",)


def test_without_a_manifest_the_files_are_the_cohort(tmp_path: Path) -> None:
    touch(tmp_path, "ct/HN-B 2.nii.gz", "ct/HN-A.nii.gz", "ct/HN-Ä.nii.gz", "gtv/HN-A.nii.gz")
    touch(tmp_path, "gtv/HN-B 2.nii.gz", "gtv/HN-Ä.nii.gz", "ct/HN-X.nii.gz", "ct/notes.txt")
    toml = (
        '[study]\nname = "files"\n[cohort]\nimage = "ct/{case}.nii.gz"\n'
        'centre = { pattern = "^(HN)-" }\n[regions.tumour]\nmask = "gtv/{case}.nii.gz"\n'
    )
    cohort = read_cohort(load_study(write(tmp_path, toml=toml), environ={}))
    assert [case.case_id for case in cohort.cases] == ["HN-A", "HN-B 2", "HN-Ä"]
    assert {case.centre for case in cohort.cases} == {"HN"}
    assert reasons(cohort) == {"HN-X": "E_IMG_MISSING"}
    assert cohort.rows_read == 4


def test_a_pattern_that_fits_nothing_is_an_error(tmp_path: Path) -> None:
    toml = '[study]\nname = "files"\n[cohort]\nimage = "ct/{case}.nii.gz"\n'
    with pytest.raises(InvalidDataError, match=r"no file fits 'ct/\{case\}.nii.gz'"):
        read_cohort(load_study(write(tmp_path, toml=toml), environ={}))


def test_every_missing_column_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError) as caught:
        cohort_of(tmp_path, PATIENTS + SEX + OUTCOME, ["id,Sex", "A,M"])
    assert str(caught.value).splitlines()[1:] == [
        "  cohort.patient: no column 'patient'",
        "  clinical.sex: no column 'sex'; closest is 'Sex'",
        "  outcome.event: no column 'dm'",
    ]


def test_a_typing_mistake_in_exclude_and_a_constant_outcome_are_said(tmp_path: Path) -> None:
    toml = TABLES_ONLY + 'exclude = { "Z" = "consent" }\n' + OUTCOME
    cohort = cohort_of(tmp_path, toml, ["id,dm", "A,0", "B,0"])
    assert cohort.warnings == (
        "cohort.exclude: there is no case 'Z'",
        "outcome: every case has the same 'dm'",
    )


def test_a_centre_that_does_not_fit_its_pattern_is_a_finding(tmp_path: Path) -> None:
    toml = TABLES_ONLY + 'centre = { column = "id", pattern = "^HN-([A-Z]+)-" }\n'
    cohort = cohort_of(tmp_path, toml, ["id,x", "HN-CHUM-1,", "unknown,"])
    assert [case.centre for case in cohort.cases] == ["CHUM", None]
    (finding,) = cohort.findings
    assert (finding.column, finding.value, finding.rows) == ("id", "unknown", (3,))


def test_columns_that_the_study_does_not_name_are_listed(tmp_path: Path) -> None:
    cohort = cohort_of(tmp_path, TABLES_ONLY + SEX, ["id,time1,sex,time2", "A,1,M,2"])
    assert cohort.unused_columns == ("time1", "time2")


TRAPS = """\
[study]
name = "traps"

[cohort]
manifest = "traps.csv"
case = "id"

[clinical.age]
column = "age"
type = "number"
minimum = 18
maximum = 95
known_at = "baseline"

[clinical.volume]
column = "volume (cc)"
type = "number"
missing = ["99"]
known_at = "baseline"

[clinical.sex]
column = "sex"
type = "category"
values = { female = ["F"], male = ["M"] }
known_at = "baseline"

[clinical.diagnosed]
column = "diagnosed"
type = "date"
format = "%d/%m/%Y"

[outcome]
event = "DM"
"""


def test_twelve_traps_of_a_real_table_are_all_named(tmp_path: Path) -> None:
    rows = [
        "id;age;volume (cc);sex;diagnosed;DM",  # 1 BOM, 2 semicolon, 3 Latin letters below
        "007;62;12,5;F;03/04/2019;0",  # 4 leading zeros, 5 decimal comma
        "7;63;10;M;03/04/2019;0",  # 6 the same id as a number
        "B;99;7,25;F;13/04/2019;1",  # 7 a code for missing, implausible as an age
        "C;64;99;M;04/13/2019;0",  # 8 a code for missing, declared; 9 month first
        "D;65;8;m;2019;1",  # 10 a spelling nobody declared
        "D;65;8;m;2019;1",  # 11 the same row twice
        "E;66;1.234,5;F;;0",  # 12 thousands
        "Müller;67;3;F;;2",  # an outcome that is neither
    ]
    file = write(tmp_path, toml=TRAPS)
    (tmp_path / "traps.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    cohort = read_cohort(load_study(file, environ={}))
    assert [(f.code.value, f.detail.split(":")[0]) for f in cohort.failures] == [
        ("E_CASE_ID", "row 2"),
        ("E_CASE_ID", "row 3"),
        ("E_ROW_DUPLICATE", "row 7"),
        ("E_OUTCOME_MISSING", "row 9"),
    ]
    assert {(f.column, f.value, f.rows) for f in cohort.findings} == {
        ("age", "99", (4,)),
        ("volume (cc)", "1.234,5", (8,)),
        ("sex", "m", (6, 7)),
        ("diagnosed", "04/13/2019", (5,)),
        ("diagnosed", "2019", (6, 7)),
        ("DM", "2", (9,)),
    }
    assert {case.case_id: dict(case.clinical) for case in cohort.cases} == {
        "B": {"age": None, "volume": 7.25, "sex": "female", "diagnosed": "2019-04-13"},
        "C": {"age": 64.0, "volume": None, "sex": "male", "diagnosed": None},
        "D": {"age": 65.0, "volume": 8.0, "sex": None, "diagnosed": None},
        "E": {"age": 66.0, "volume": None, "sex": "female", "diagnosed": None},
    }


def test_where_nobody_is_left_no_variable_repeats_it(tmp_path: Path) -> None:
    cohort = cohort_of(tmp_path, TABLES_ONLY + SEX + OUTCOME, ["id,sex,dm", "1,M,", "2,F,"])
    assert [f.code.value for f in cohort.failures] == ["E_OUTCOME_MISSING"] * 2
    assert cohort.warnings == ("no case is left",)


def test_the_same_rows_in_excel_make_the_same_cohort(tmp_path: Path) -> None:
    toml = TABLES_ONLY + SEX + OUTCOME
    rows: list[list[str | int | None]] = [["007", "M", 1], ["8", "m", 0], ["9", None, 1]]
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    text = cohort_of(tmp_path, toml, ["id,sex,dm", *lines])
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["id", "sex", "dm"], *rows):
        sheet.append(row)
    book.save(tmp_path / "cohort.xlsx")
    excel = cohort_of(tmp_path, toml.replace("cohort.csv", "cohort.xlsx"), [])
    assert (excel.cases, excel.findings) == (text.cases, text.findings)
    assert [case.case_id for case in excel.cases] == ["007", "8", "9"]


IDS = st.sampled_from(["A", "a", "A ", "B", "007", "7", "", "../x", "C", "D", "E", "a\u0308", "ä"])
CELLS = st.sampled_from(["", "0", "1", "2", "-5", "700", "M", "m", "TBD"])


@given(rows=st.lists(st.tuples(IDS, IDS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=12))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_included_or_excluded_for_one_reason(
    tmp_path: Path, rows: Sequence[tuple[str, ...]]
) -> None:
    toml = PATIENTS + SEX + DATED + "horizon_days = 365\n"
    lines = [f"{','.join(row)}," for row in rows]
    cohort = cohort_of(tmp_path, toml, ["id,patient,sex,dm,dm_days,fu_days,end", *lines])
    filled = [number for number, row in enumerate(rows, start=2) if any(c.strip() for c in row)]
    included = [case.row for case in cohort.cases]
    excluded = [int(f.detail.split(":")[0].removeprefix("row ")) for f in cohort.failures]
    assert sorted([*included, *excluded]) == filled
    assert cohort.flow.included + cohort.flow.excluded == cohort.flow.read == len(filled)
    ids = [case.case_id for case in cohort.cases]
    assert len(ids) == len(set(ids))
    assert all(case.outcome is not None for case in cohort.cases)


LOOK = """\
[clinical.look]
column = "look"
type = "category"
known_at = "baseline"
"""


@pytest.mark.parametrize(
    ("words", "how"),
    [
        (["bad"] * 8 + ["good"] * 32, "follows the outcome in every case"),
        (["bad"] * 7 + ["good"] * 33, "follows the outcome in 98% of the cases"),
    ],
)
def test_a_predictor_that_is_the_outcome_under_another_name_is_loud(
    tmp_path: Path, words: list[str], how: str
) -> None:
    rows = ["id,look,dm", *(f"HN-{n},{word},{int(n < 8)}" for n, word in enumerate(words))]
    cohort = cohort_of(tmp_path, TABLES_ONLY + LOOK + OUTCOME, rows)
    assert len(cohort.cases) == 40
    (warning,) = cohort.warnings
    assert warning.startswith("THE OUTCOME IN DISGUISE? clinical.look (column 'look') " + how)


def test_a_column_that_only_describes_may_follow_the_outcome(tmp_path: Path) -> None:
    rows = ["id,look,dm", *(f"HN-{n},{n < 8},{int(n < 8)}" for n in range(40))]
    toml = TABLES_ONLY + LOOK.replace('known_at = "baseline"\n', "") + OUTCOME
    assert cohort_of(tmp_path, toml, rows).warnings == ()


def test_a_case_knows_which_of_its_cells_were_not_understood(tmp_path: Path) -> None:
    rows = ["id,sex", "HN-1,F", "HN-2,?", "HN-3,"]
    cohort = cohort_of(tmp_path, TABLES_ONLY + SEX, rows)
    assert [case.clinical["sex"] for case in cohort.cases] == ["female", None, None]
    assert [set(case.not_understood) for case in cohort.cases] == [set(), {"sex"}, set()]


def test_usual_clinical_columns_that_nobody_declared_are_named(tmp_path: Path) -> None:
    rows = ["id,sex,Age,smoking,other", "HN-1,F,61,never,1", "HN-2,M,70,current,2"]
    cohort = cohort_of(tmp_path, TABLES_ONLY + SEX, rows)
    (warning,) = cohort.warnings
    assert warning.startswith("clinical: the table has 'Age', 'smoking', which the study does not")
    assert [set(case.clinical) for case in cohort.cases] == [{"sex"}, {"sex"}]
