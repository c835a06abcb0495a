"""What a registered model has to be told, read from a person's table."""

from collections.abc import Sequence
from pathlib import Path

from hnmets.domain.errors import InvalidDataError
from hnmets.registry.columns import InputColumn
from hnmets.registry.errors import InputError
from hnmets.registry.inputs import InputTable, Value, inputs_of
from hnmets.registry.package import Package
from hnmets.sources.number import DecimalSign, decimal_sign, parse_number
from hnmets.sources.table import Table, read_table

CASE_ID = "case_id"


def tabled_inputs(package: Package, path: Path) -> InputTable:
    """Read a table with the model's columns in any order, and others that are passed over.

    Parameters
    ----------
    path
        CSV, TSV, Excel or Parquet; the cases are named by a column `case_id`, or by their rows.

    Raises
    ------
    InvalidDataError
        If the file cannot be read, a case stands twice, it has no column of the model, or a
        value is not of its column's kind.
    """
    table = read_table(path, look_at="--table")
    known = [column for column in package.columns if column.name in table.columns]
    if not known:
        wanted = ", ".join(column.name for column in package.columns[:3])
        raise InvalidDataError(f"{path.name} has no column of the model").with_note(
            f"It has to be told {wanted} …: `hnmets models show` lists all."
        )
    told = InputTable(
        case_ids=_case_ids(table),
        columns={column.name: _values(column, _cells(table, column.name)) for column in known},
    )
    _require_understood(package, table, told)
    return told


def _require_understood(package: Package, table: Table, told: InputTable) -> None:
    """Refuse what the model would, by cell: whoever has the table may see what is in it."""
    try:
        inputs_of(told, package.columns, package.encoded)
    except InputError as error:
        if error.row is None:
            raise
        row = table.rows[error.row]
        case = f", case {row.cells[CASE_ID]}" if CASE_ID in table.columns else ""
        raise InvalidDataError(
            f"{table.path.name}, row {row.number}{case}: "
            f"'{error.column}' is '{row.cells[error.column]}', which {error.reason}"
        ).with_note("Correct the cell, or empty it where the value is not known.") from None


def _case_ids(table: Table) -> tuple[str, ...]:
    if CASE_ID not in table.columns:
        return tuple(f"row {row.number}" for row in table.rows)
    ids = tuple(_cells(table, CASE_ID))
    if len(set(ids)) < len(ids):
        twice = next(case_id for case_id in ids if ids.count(case_id) > 1)
        raise InvalidDataError(f"{table.path.name}: case {twice} stands twice")
    return ids


def _cells(table: Table, column: str) -> list[str]:
    return [row.cells[column] for row in table.rows]


def _values(column: InputColumn, cells: Sequence[str]) -> list[Value]:
    """Return numbers of a number; what is none stays a text, and the model refuses it."""
    if column.type == "category":
        return list(cells)
    sign = decimal_sign(cells)
    return [_number(cell, sign) for cell in cells]


def _number(cell: str, sign: DecimalSign) -> Value:
    number = parse_number(cell, sign) if cell else None
    return cell if number is None else number
