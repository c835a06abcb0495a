"""Delimited text: any separator, any common encoding; cells stay the text they are."""

import codecs
import csv
import io
import re
from pathlib import Path

from hnmets.domain.errors import InvalidDataError

_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 200


def read_delimited(path: Path, *, separator: str | None) -> tuple[list[list[str]], list[str]]:
    """Return all records, blank lines as empty ones, and notes on how they were read.

    Parameters
    ----------
    separator
        One character; without it the file's own is found out.

    Raises
    ------
    InvalidDataError
        If the file is no text, or its quotes do not match.
    """
    text, notes = _decode(path)
    # Excel writes and hides a first line `sep=;`.
    if stated := re.match(r"sep=(.)\r?\n", text):
        text = text[stated.end() :]
        separator = separator or stated.group(1)
    delimiter = separator or _sniff(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(reader), notes
    except csv.Error as error:
        raise InvalidDataError(f"{path}: line {reader.line_num}: {error}").with_note(
            "Look for a quote that opens and does not close."
        ) from None


def _decode(path: Path) -> tuple[str, list[str]]:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace"), [f"{path.name}: read as UTF-16"]
    if b"\0" in content:
        raise InvalidDataError(f"{path}: holds zero bytes, so it is no table of text")
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return content.decode(_one_byte_encoding(content)), [
            f"{path.name}: is not UTF-8; read as Windows-1252, check accents and umlauts"
        ]


def _one_byte_encoding(content: bytes) -> str:
    # Windows-1252 leaves five bytes undefined; Latin-1 reads every byte.
    return "latin-1" if set(content) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "cp1252"


def _sniff(text: str) -> str:
    r"""Return the separator under which most rows are as wide as the header.

    Examples
    --------
    >>> _sniff("id;age\nA;62,5\nB;70,25\n")
    ';'
    """
    return max(_SEPARATORS, key=lambda separator: _fit(text, separator))


def _fit(text: str, separator: str) -> tuple[bool, float, int]:
    widths: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for record in reader:
            widths.extend([len(record)] if record else [])
            if len(widths) == _SAMPLE_ROWS:
                break
    except csv.Error:
        return (False, 0.0, 0)
    if not widths:
        return (False, 0.0, 0)
    return (widths[0] > 1, widths.count(widths[0]) / len(widths), widths[0])
