"""Tables come in as text, whole, and with the row numbers that a spreadsheet shows."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.sources.table import Table, read_table


def read(folder: Path, content: str | bytes, name: str = "t.csv", **settings: str) -> Table:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(file, **settings)


def cells(table: Table) -> list[tuple[int, dict[str, str]]]:
    return [(row.number, dict(row.cells)) for row in table.rows]


def test_leading_zeros_and_number_like_texts_stay_as_they_are(tmp_path: Path) -> None:
    table = read(tmp_path, "id,age,note\n007,62.0,1e3\n7,NA,\n")
    assert cells(table) == [
        (2, {"id": "007", "age": "62.0", "note": "1e3"}),
        (3, {"id": "7", "age": "NA", "note": ""}),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_found_out(tmp_path: Path, separator: str) -> None:
    text = "\n".join(separator.join(row) for row in (["id", "vol"], ["a", "1.5"], ["b", "2"]))
    assert cells(read(tmp_path, text)) == [
        (2, {"id": "a", "vol": "1.5"}),
        (3, {"id": "b", "vol": "2"}),
    ]


def test_a_decimal_comma_does_not_pass_for_a_separator(tmp_path: Path) -> None:
    table = read(tmp_path, "id;vol;area\na;1,5;2,5\nb;3,5;4,5\n")
    assert table.columns == ("id", "vol", "area")
    assert table.rows[0].cells["vol"] == "1,5"


def test_an_unusual_separator_can_be_named(tmp_path: Path) -> None:
    assert read(tmp_path, "id~age\na~6\n", separator="~").columns == ("id", "age")


def test_the_separator_line_of_excel_is_no_row(tmp_path: Path) -> None:
    table = read(tmp_path, "sep=;\nid;age\na;6\n")
    assert cells(table) == [(2, {"id": "a", "age": "6"})]


@pytest.mark.parametrize(
    "content",
    [
        "id,näme\na,é\n".encode("utf-8-sig"),
        "id,näme\na,é\n".encode("utf-16"),
        "id,näme\na,é\n".encode("latin-1"),
    ],
    ids=["UTF-8 with BOM", "UTF-16", "Latin-1"],
)
def test_the_encoding_leaves_no_trace_in_the_cells(tmp_path: Path, content: bytes) -> None:
    assert cells(read(tmp_path, content)) == [(2, {"id": "a", "näme": "é"})]


def test_a_guessed_encoding_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, "id\nM\n").notes == ()
    assert read(tmp_path, "id\nMüller\n".encode("latin-1")).notes == (
        "t.csv: is not UTF-8; read as Windows-1252, check accents and umlauts",
    )


def test_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    # The blank row counts, and the quoted line break belongs to one row.
    table = read(tmp_path, 'id,note\n\na,"two\nlines"\n,\nb,x\n')
    assert [(row.number, row.cells["id"]) for row in table.rows] == [(3, "a"), (5, "b")]


def test_blanks_around_cells_and_headers_do_not_count(tmp_path: Path) -> None:
    assert cells(read(tmp_path, " id , age\n a , 6 \n")) == [(2, {"id": "a", "age": "6"})]


def test_empty_columns_at_the_end_are_forgiven(tmp_path: Path) -> None:
    assert read(tmp_path, "id,age,,\na,6,,\nb,7,,\n").columns == ("id", "age")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv: is empty"),
        ("\n\n", "t.csv: is empty"),
        ("id,age\n", "t.csv: has a header and no rows"),
        ("id,age,id\na,6,b\n", "column 'id' stands 2 times"),
        ("id,,age\na,1,6\n", "column 2 has no name"),
        (
            "id,age\na,6\nb\nc,7,8\n",
            r"the header has 2 cells, but\n  row 3 has 1 cells\n  row 4 has 3",
        ),
        ('id,age\na,"6\nb,7\n', "t.csv: line 3: unexpected end of data"),
        (b"PK\x03\x04\x00\x00", "holds zero bytes, so it is no table of text"),
    ],
)
def test_a_broken_table_says_where_it_is_broken(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(InvalidDataError, match=message):
        read(tmp_path, content)


def test_many_ragged_rows_are_counted_rather_than_listed(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="row 6 has 1 cells\n  and 4 more rows"):
        read(tmp_path, "id,age\n" + "a\n" * 9)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"none.xlsx: No such file") as caught:
        read_table(tmp_path / "none.xlsx")
    assert "[cohort] manifest" in caught.value.__notes__[0]


def test_an_absent_column_comes_with_the_closest_one(tmp_path: Path) -> None:
    table = read(tmp_path, "Patient #,Age\na,6\n")
    with pytest.raises(InvalidDataError) as caught:
        table.require({"cohort.case": "patient", "clinical.age": "age", "outcome.event": "dm"})
    assert "clinical.age: no column 'age'; closest is 'Age'" in str(caught.value)
    assert "outcome.event: no column 'dm'\n" not in str(caught.value)
    assert caught.value.__notes__ == ["The file has: Patient #, Age"]


def workbook(file: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Patients"
    rows = [
        ["id", "age", "vol", "seen", "hpv", "sum"],
        ["007", 62, 1.5, date(2020, 3, 4), True, None],
        [None] * 6,
        [7, 62.0, 29719.06836, datetime(2020, 3, 4, 12, 30), False, None],
    ]
    for row in rows:
        sheet.append(row)
    sheet["F4"] = "#DIV/0!"
    book.create_sheet("Notes").append(["n"])
    book.save(file)


def test_excel_cells_are_read_as_they_are_shown(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    first, second = table.rows
    assert (first.number, second.number) == (2, 4)
    assert list(first.cells.values()) == ["007", "62", "1.5", "2020-03-04 00:00:00", "true", ""]
    assert list(second.cells.values())[:3] == ["7", "62", "29719.06836"]
    assert table.notes == ("t.xlsx: read sheet 'Patients', the first of 2",)


def test_a_failed_formula_is_not_taken_for_an_empty_cell(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").rows[1].cells["sum"] == "#error"


def test_an_absent_sheet_is_named_with_those_there_are(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx")
    with pytest.raises(InvalidDataError, match="no sheet 'Cases'; it has: Patients, Notes"):
        read_table(tmp_path / "t.xlsx", sheet="Cases")


def test_parquet_keeps_numbers_and_null(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["007", "8"], "age": [62, None], "vol": [1.5, 2.0]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert cells(read_table(tmp_path / "t.parquet")) == [
        (2, {"id": "007", "age": "62", "vol": "1.5"}),
        (3, {"id": "8", "age": "", "vol": "2.0"}),
    ]


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet"])
def test_a_file_that_is_not_what_its_suffix_says_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidDataError, match=f"{name}: cannot be read as a"):
        read(tmp_path, "id,age\na,6\n", name)
