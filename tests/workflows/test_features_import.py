from pathlib import Path

import numpy as np
import pytest

from feature_store.snapshot import read_snapshot
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.workflows import features_import
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.features_import import Imported, ImportRequest, Kind
from tests.builders_cohorts import study_of

CASES = tuple(f"SYN-000{number}" for number in range(1, 7))


def imported(
    study: Path, text: str, kind: Kind = "embedding", made_by: str = "", despite: str = ""
) -> Imported:
    table = study.parent / "features.csv"
    table.write_text(text)
    request = ImportRequest(
        table=table, name="ct-fm", kind=kind, case_column="id", made_by=made_by, despite=despite
    )
    return features_import.run(study_of(study), request)


def table(*rows: str, columns: str = "e0,e1") -> str:
    return "\n".join((f"id,{columns}", *rows)) + "\n"


VECTORS = [f"{case},{n}.5,{n * n}" for n, case in enumerate(CASES, start=1)]


def test_imported_features_come_out_as_they_went_in(cohort: Path) -> None:
    done = imported(cohort, table(*VECTORS))
    assert (done.rows, done.missing, done.remarks) == (6, (), [])
    matrix = read_snapshot(study_of(cohort).store_folder).matrix(["ct-fm"])
    assert matrix.case_ids == CASES
    np.testing.assert_array_equal(matrix.values[1], [2.5, 4.0])
    assert matrix.columns == ("ct-fm.e0", "ct-fm.e1")


def test_another_maker_is_another_recipe(cohort: Path) -> None:
    first = imported(cohort, table(*VECTORS), made_by="model 1")
    second = imported(cohort, table(*VECTORS), made_by="model 2")
    assert first.label != second.label


def test_what_is_odd_is_said(cohort: Path) -> None:
    rows = [*VECTORS[:4], VECTORS[0], f"{CASES[4]},1.5,1", "NOBODY,1,2"]
    done = imported(cohort, table(*[f"{row},7" for row in rows], columns="e0,e1,e2"))
    assert done.missing == (CASES[5],)
    remarks = "\n".join(done.remarks)
    assert "rows 2 and 6 are the same" in remarks
    assert "'NOBODY' (row 8)" in remarks
    assert "1 columns are constant: e2" in remarks
    assert f"several patients: {CASES[0]}, {CASES[4]}" in remarks


def test_contradicting_rows_are_refused(cohort: Path) -> None:
    with pytest.raises(InvalidDataError, match="SYN-0001: row 8 contradicts row 2"):
        imported(cohort, table(*VECTORS, f"{CASES[0]},9,9"))


def test_a_copy_of_the_outcome_needs_a_reason(cohort: Path) -> None:
    events = {c.case_id: c.outcome.event for c in read_cohort(study_of(cohort)).cases if c.outcome}
    assert 0 < sum(events.values()) < 6
    rows = [f"{case},{n},{int(event)}" for n, (case, event) in enumerate(events.items())]
    with pytest.raises(InvalidDataError, match="'e1' follows the outcome in every case"):
        imported(cohort, table(*rows))
    assert imported(cohort, table(*rows), despite="six patients by chance").rows == 6


def test_a_copy_of_the_outcome_in_words_is_one_too(cohort: Path) -> None:
    cases = [c for c in read_cohort(study_of(cohort)).cases if c.outcome]
    rows = [f"{c.case_id},{'yes' if c.outcome and c.outcome.event else 'no'}" for c in cases]
    with pytest.raises(InvalidDataError, match="'e0' follows the outcome in every case"):
        imported(cohort, table(*rows, columns="e0"), kind="table")


def test_a_copy_of_the_outcome_with_an_empty_cell_is_one_too(cohort: Path) -> None:
    cases = [c for c in read_cohort(study_of(cohort)).cases if c.outcome]
    words = ["yes" if c.outcome and c.outcome.event else "no" for c in cases]
    words[words.index("no")] = ""
    rows = [f"{case.case_id},{word}" for case, word in zip(cases, words, strict=True)]
    with pytest.raises(InvalidDataError, match="'e0' follows the outcome in every case that has"):
        imported(cohort, table(*rows, columns="e0"), kind="table")


def test_noise_of_many_columns_and_few_events_is_no_leak(cohort: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(6, 300))
    rows = [f"{case},{','.join(map(str, row))}" for case, row in zip(CASES, noise, strict=True)]
    done = imported(cohort, table(*rows, columns=",".join(f"e{n}" for n in range(300))))
    assert done.rows == 6


@pytest.mark.parametrize("name", ["clinical", "a,b", "bad name!"])
def test_a_name_that_cannot_be_asked_for_is_refused(name: str, cohort: Path) -> None:
    file = cohort.parent / "features.csv"
    file.write_text(table(*VECTORS))
    request = ImportRequest(table=file, name=name, kind="embedding", case_column="id")
    with pytest.raises(UsageError, match=name):
        features_import.run(study_of(cohort), request)


def test_a_name_that_smells_of_the_future_needs_a_reason(cohort: Path) -> None:
    rows = [f"{case},{n % 3}" for n, case in enumerate(CASES)]
    with pytest.raises(InvalidDataError, match="'recurrence' smells of the future"):
        imported(cohort, table(*rows, columns="recurrence"), kind="table")


def test_an_embedding_holds_numbers_alone(cohort: Path) -> None:
    rows = [f"{case},{n},low" for n, case in enumerate(CASES)]
    with pytest.raises(InvalidDataError, match="column 'e1' is no number"):
        imported(cohort, table(*rows))


def test_radiomics_under_other_names_are_said(cohort: Path) -> None:
    rows = [f"{case},{n},{n * n % 7}" for n, case in enumerate(CASES)]
    done = imported(
        cohort, table(*rows, columns="original_shape_Elongation,my_entropy"), kind="radiomics"
    )
    assert "1 names are none of the 1562: my_entropy" in done.remarks
    assert any(remark.startswith("1561 of the 1562 are not there") for remark in done.remarks)


def test_a_table_that_is_not_there_points_to_the_command_line(cohort: Path) -> None:
    absent = ImportRequest(
        table=cohort.parent / "no.csv", name="ct-fm", kind="table", case_column="id"
    )
    with pytest.raises(InvalidDataError, match="No such file") as caught:
        features_import.run(study_of(cohort), absent)
    assert caught.value.__notes__ == ["Check the path of the table on the command line."]
