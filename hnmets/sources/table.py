"""A table as people keep it: CSV, TSV, Excel or Parquet, read as text and nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from hnmets.domain.errors import InvalidDataError
from hnmets.sources.delimited import read_delimited
from hnmets.sources.workbook import read_parquet, read_sheet

_EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
_PARQUET = {".parquet", ".pq"}
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row; no cell is guessed to be a number, so `007` stays `007`.

    Parameters
    ----------
    number
        As a spreadsheet shows it: the header is row 1.
    cells
        Text by column, without surrounding blanks; empty where nothing stands.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows of a file that hold anything.

    Parameters
    ----------
    notes
        How the file was read, where that was not plain.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = ()

    def require(self, columns: Mapping[str, str]) -> None:
        """Check that all columns are there; keys say which setting names them.

        Raises
        ------
        InvalidDataError
            Naming every absent column with the closest one that exists.
        """
        absent = {key: name for key, name in columns.items() if name not in self.columns}
        if not absent:
            return
        lines = [f"  {key}: no column '{name}'{self._near(name)}" for key, name in absent.items()]
        raise InvalidDataError("\n".join([f"{self.path}: columns are missing", *lines])).with_note(
            f"The file has: {', '.join(self.columns)}"
        )

    def _near(self, name: str) -> str:
        folded = {column.casefold(): column for column in self.columns}
        near = get_close_matches(name.casefold(), folded, n=1)
        return f"; closest is '{folded[near[0]]}'" if near else ""


def read_table(
    path: Path,
    *,
    separator: str | None = None,
    sheet: str | None = None,
    look_at: str = "[cohort] manifest and [cohort] root in the study file",
) -> Table:
    """Read a table; its kind follows from the file's suffix.

    Parameters
    ----------
    look_at
        What named the file, for the person who has to correct it.

    Raises
    ------
    InvalidDataError
        If there is no such file, it is empty, or its header and rows do not fit.
    """
    suffix = path.suffix.lower()
    notes: list[str] = []
    try:
        # Opened here once, so that an absent or locked file reads the same for every kind.
        with path.open("rb"):
            pass
        if suffix in _EXCEL:
            records, notes = read_sheet(path, sheet=sheet)
        elif suffix in _PARQUET:
            records = read_parquet(path)
        else:
            records, notes = read_delimited(path, separator=separator)
    except OSError as error:
        raise InvalidDataError(f"{path}: {error.strerror or error}").with_note(
            f"Check {look_at}."
        ) from None
    return _table(path, [[cell.strip() for cell in record] for record in records], notes)


def _table(path: Path, records: Sequence[Sequence[str]], notes: Sequence[str]) -> Table:
    filled = [(number, cells) for number, cells in enumerate(records, start=1) if any(cells)]
    if not filled:
        raise InvalidDataError(f"{path}: is empty")
    (header_row, header), *body = filled
    if not body:
        raise InvalidDataError(f"{path}: has a header and no rows")
    names = _trimmed(header)
    _check_header(path, header_row, names)
    _check_widths(path, names, body)
    rows = tuple(
        TableRow(number=number, cells=dict(zip(names, cells, strict=False)))
        for number, cells in body
    )
    return Table(path=path, columns=tuple(names), rows=rows, notes=tuple(notes))


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Return the cells without the empty ones at the end, which spreadsheets like to add."""
    last = max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
    return list(cells[:last])


def _check_header(path: Path, row: int, names: Sequence[str]) -> None:
    problems = [
        f"  column '{name}' stands {count} times"
        for name, count in Counter(names).items()
        if name and count > 1
    ]
    problems += [
        f"  column {place} has no name" for place, name in enumerate(names, start=1) if not name
    ]
    if problems:
        raise InvalidDataError("\n".join([f"{path}: row {row} is no header", *problems]))


def _check_widths(
    path: Path, names: Sequence[str], body: Sequence[tuple[int, Sequence[str]]]
) -> None:
    odd = [
        (number, len(cells))
        for number, cells in body
        if len(cells) < len(names) or len(_trimmed(cells)) > len(names)
    ]
    if not odd:
        return
    lines = [f"  row {number} has {width} cells" for number, width in odd[:_SHOWN]]
    if len(odd) > _SHOWN:
        lines.append(f"  and {len(odd) - _SHOWN} more rows")
    raise InvalidDataError(
        "\n".join([f"{path}: the header has {len(names)} cells, but", *lines])
    ).with_note(
        "Look for an unquoted separator in a cell, or another separator than the header's."
    )
