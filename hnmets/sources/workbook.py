"""Tables in binary files: Excel sheets and Parquet, every cell turned into text."""

from pathlib import Path

from hnmets.domain.errors import InvalidDataError


def read_sheet(path: Path, *, sheet: str | None) -> tuple[list[list[str]], list[str]]:
    """Return every row of an Excel sheet, the first sheet by default, and notes.

    A cell with an error in its formula becomes `#error`, so that it is reported; readers of
    typed columns turn it into an empty cell.

    Raises
    ------
    InvalidDataError
        If the file is no workbook or has no such sheet.
    """
    import fastexcel

    try:
        book = fastexcel.read_excel(str(path))
        name = _sheet_name(path, book.sheet_names, sheet)
        loaded = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        batch, errors = loaded.to_arrow_with_errors()
    except fastexcel.FastExcelError as error:
        first_line = str(error).splitlines()[0]
        raise InvalidDataError(f"{path}: cannot be read as a workbook: {first_line}") from None
    columns = [[cell or "" for cell in column.to_pylist()] for column in batch.columns]
    for damaged in errors.errors if errors else ():
        row, column = damaged.offset_position
        columns[column][row] = "#error"
    several = len(book.sheet_names) > 1 and sheet is None
    notes = [f"{path.name}: read sheet '{name}', the first of {len(book.sheet_names)}"]
    return [list(row) for row in zip(*columns, strict=True)], notes if several else []


def _sheet_name(path: Path, names: list[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in names:
        raise InvalidDataError(f"{path}: has no sheet '{wanted}'; it has: {', '.join(names)}")
    return wanted or names[0]


def read_parquet(path: Path) -> list[list[str]]:
    """Return header and rows of a Parquet file; null is an empty cell.

    Raises
    ------
    InvalidDataError
        If the file is no Parquet file, or a column holds more than plain values.
    """
    import polars as pl

    try:
        frame = pl.read_parquet(path)
        text = frame.select(pl.all().cast(pl.String).fill_null(""))
    except (pl.exceptions.PolarsError, OSError) as error:
        first_line = str(error).splitlines()[0]
        raise InvalidDataError(f"{path}: cannot be read as a table: {first_line}") from None
    return [frame.columns, *(list(row) for row in text.iter_rows())]
