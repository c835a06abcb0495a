"""The manifest: which cases there are, whose they are, and where their files lie."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hnmets.domain.errors import Code, InvalidDataError
from hnmets.sources.finding import Findings
from hnmets.sources.location import DataFolder, pattern_columns, placeholders
from hnmets.sources.table import Table, read_table


@dataclass(frozen=True, kw_only=True)
class CentreRule:
    """Where to read the centre.

    Parameters
    ----------
    column
        Column of the manifest; without it the case id is read.
    pattern
        Regular expression whose first group is the centre: `HN-([A-Z]+)-`.
    """

    column: str | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        """Check that the pattern names a part of the text."""
        if self.pattern is None:
            if self.column is None:
                raise ValueError("give `column`, `pattern`, or both")
            return
        try:
            groups = re.compile(self.pattern).groups
        except re.error as error:
            raise ValueError(f"`pattern` is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError("`pattern` needs one group in parentheses: HN-([A-Z]+)-")


@dataclass(frozen=True, kw_only=True)
class CohortRule:
    """Where the cases are.

    Parameters
    ----------
    root
        Data folder: relative to the study file; may start with an environment variable such
        as `${HNMETS_REAL_DATA}`. No image outside of it is read.
    manifest
        Table with a row per case; without it every file that fits `image` is a case.
    separator
        Of a text table; without it the file's own is found out.
    sheet
        Of a workbook; without it the first.
    case, patient
        Columns with the id of the case and of the patient; without `patient` every case is a
        patient of its own.
    centre
        Where to read the centre.
    image
        CT file: pattern with `{case}` or `{column}`, or the column that holds the path.
        Without it the cohort has tables only.
    exclude
        Cases to leave out, with the reason: `{ "HN-7" = "withdrew consent" }`.
    """

    root: str = "."
    manifest: str | None = None
    separator: str | None = None
    sheet: str | None = None
    case: str | None = None
    patient: str | None = None
    centre: CentreRule | None = None
    image: str | None = None
    exclude: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that cases can be found."""
        if self.separator is not None and len(self.separator) != 1:
            raise ValueError("`separator` is one character")
        if self.manifest is not None:
            if self.case is None:
                raise ValueError("`manifest` needs `case`: the column with the case id")
            return
        if self.image is None or placeholders(self.image) != ("case",):
            raise ValueError("give `manifest`, or an `image` pattern with {case} alone")
        if self.case or self.patient or (self.centre and self.centre.column):
            raise ValueError("`case`, `patient` and `centre.column` are columns of a `manifest`")

    @property
    def columns(self) -> dict[str, str]:
        """The manifest's columns by the setting that names them."""
        named = {"case": self.case, "patient": self.patient}
        if self.centre:
            named["centre.column"] = self.centre.column
        if self.manifest and self.image:
            named |= {f"image {{{name}}}": name for name in pattern_columns(self.image)}
        return {setting: column for setting, column in named.items() if column is not None}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the manifest, or one file where there is none.

    Parameters
    ----------
    row
        As a spreadsheet numbers it; 0 without a manifest.
    """

    row: int
    case_id: str
    patient_id: str
    centre: str | None = None
    cells: Mapping[str, str] = field(default_factory=dict)


def open_manifest(rule: CohortRule, root: Path) -> Table | None:
    """Return the manifest, or None where files alone say which cases there are.

    Raises
    ------
    InvalidDataError
        If it cannot be read as a table.
    """
    if rule.manifest is None:
        return None
    return read_table(root / rule.manifest, separator=rule.separator, sheet=rule.sheet)


def read_entries(rule: CohortRule, table: Table | None, folder: DataFolder) -> list[Entry]:
    """Return one entry per row of the manifest, or per file that fits the image pattern.

    Raises
    ------
    InvalidDataError
        If no file fits.
    """
    if table is not None and rule.case is not None:
        patient = rule.patient or rule.case
        return [
            Entry(
                row=row.number,
                case_id=row.cells[rule.case],
                patient_id=row.cells[patient],
                cells=row.cells,
            )
            for row in table.rows
        ]
    pattern = rule.image or ""
    entries = [Entry(row=0, case_id=case, patient_id=case) for case in folder.cases(pattern)]
    if not entries:
        raise InvalidDataError(f"{folder.root}: no file fits '{pattern}'").with_note(
            "Check [cohort] image and [cohort] root in the study file."
        )
    return entries


def centre_of(rule: CentreRule | None, entry: Entry, findings: Findings) -> str | None:
    """Return the centre of a case; a text that the pattern does not fit is a finding."""
    if rule is None:
        return None
    text = entry.cells[rule.column] if rule.column else entry.case_id
    if not text or rule.pattern is None:
        return text or None
    if match := re.search(rule.pattern, text):
        return match.group(1)
    findings.add(
        code=Code.TABLE_VALUE,
        row=entry.row,
        column=rule.column or "case",
        value=text,
        problem=f"does not fit the centre's pattern {rule.pattern}",
    )
    return None
