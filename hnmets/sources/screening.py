"""Rows that cannot be cases: bad ids, duplicates, contradictions, exclusions by rule."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hnmets.domain.case import Failure
from hnmets.domain.errors import CaseError, Code
from hnmets.sources.clinical import ClinicalRule, is_missing, spellings_of
from hnmets.sources.identity import check_id, look_alikes
from hnmets.sources.manifest import Entry

# Columns that cannot differ between two cases of one patient: English, French, German.
_FIXED_ROOTS = ("birth", "dob", "naissance", "geburt", "sex", "gender", "geschlecht")


@dataclass(kw_only=True)
class Screening:
    """What is left of the rows, and why the others are not; one reason per row.

    Parameters
    ----------
    kept
        Rows that still may become cases.
    """

    kept: list[Entry]
    failures: list[Failure] = field(default_factory=list)

    def drop(self, reasons: Mapping[int, CaseError]) -> None:
        """Leave out the rows at these places of `kept`."""
        self.failures += [
            failure_of(self.kept[place], reason) for place, reason in sorted(reasons.items())
        ]
        self.kept = [entry for place, entry in enumerate(self.kept) if place not in reasons]


def failure_of(entry: Entry, error: CaseError) -> Failure:
    """Return the record of a row that was left out."""
    where = f"row {entry.row}: " if entry.row else ""
    return Failure(
        case_id=entry.case_id or f"row {entry.row}",
        code=error.code,
        stage="table",
        detail=where + error.detail,
    )


def screen(
    entries: Sequence[Entry],
    *,
    exclude: Mapping[str, str],
    used_columns: Sequence[str],
    clinical: Mapping[str, ClinicalRule],
) -> Screening:
    """Return the rows that can be cases, each case once.

    Parameters
    ----------
    exclude
        Reason by case id, from the study file.
    used_columns
        Two rows of a case contradict each other where they differ in one of these.
    clinical
        Rules by variable: they say which spellings of sex mean the same.
    """
    screening = Screening(kept=list(entries))
    for check in (
        _bad_ids,
        lambda rows: _excluded(rows, exclude),
        _look_alikes,
        lambda rows: _repeated(rows, used_columns),
        lambda rows: _two_persons(rows, clinical),
    ):
        screening.drop(check(screening.kept))
    return screening


def _bad_ids(rows: Sequence[Entry]) -> dict[int, CaseError]:
    bad = {}
    for place, entry in enumerate(rows):
        try:
            check_id(entry.case_id)
            check_id(entry.patient_id, "patient")
        except CaseError as error:
            bad[place] = error
    return bad


def _excluded(rows: Sequence[Entry], exclude: Mapping[str, str]) -> dict[int, CaseError]:
    return {
        place: CaseError(Code.EXCLUDED, exclude[entry.case_id] or "by the study file")
        for place, entry in enumerate(rows)
        if entry.case_id in exclude
    }


def _look_alikes(rows: Sequence[Entry]) -> dict[int, CaseError]:
    cases = look_alikes(entry.case_id for entry in rows)
    patients = look_alikes(entry.patient_id for entry in rows)
    found = {}
    for place, entry in enumerate(rows):
        what, group = ("case", cases.get(entry.case_id, ()))
        if not group:
            what, group = ("patient", patients.get(entry.patient_id, ()))
        if group:
            listed = ", ".join(f"'{text}'" for text in group)
            found[place] = CaseError(
                Code.CASE_ID,
                f"{what} ids differ only by case, blanks, leading zeros or Unicode form: {listed}",
            )
    return found


def _repeated(rows: Sequence[Entry], used_columns: Sequence[str]) -> dict[int, CaseError]:
    found: dict[int, CaseError] = {}
    for places in _grouped(entry.case_id for entry in rows).values():
        group = [rows[place] for place in places]
        if differing := _differing(group, used_columns):
            error = CaseError(Code.ROW_CONFLICT, f"{_rows(group)} differ in {differing}")
            found |= dict.fromkeys(places, error)
        else:
            detail = f"same as row {group[0].row}, which was kept"
            found |= {place: CaseError(Code.ROW_DUPLICATE, detail) for place in places[1:]}
    return found


def _differing(group: Sequence[Entry], columns: Sequence[str]) -> str:
    differing = [
        f"'{column}' ({' or '.join(repr(text) for text in texts)})"
        for column in columns
        if len(texts := list(dict.fromkeys(entry.cells[column] for entry in group))) > 1
    ]
    return ", ".join(differing)


def _two_persons(
    rows: Sequence[Entry], clinical: Mapping[str, ClinicalRule]
) -> dict[int, CaseError]:
    found: dict[int, CaseError] = {}
    fixed = [column for column in (rows[0].cells if rows else ()) if _is_fixed(column)]
    for patient, places in _grouped(entry.patient_id for entry in rows).items():
        group = [rows[place] for place in places]
        clashes = [column for column in fixed if len(_facts(group, column, clinical)) > 1]
        if clashes:
            detail = f"{_rows(group)} give patient '{patient}' two values of {', '.join(clashes)}"
            found |= dict.fromkeys(places, CaseError(Code.ROW_CONFLICT, detail))
    return found


def _is_fixed(column: str) -> bool:
    return any(root in column.casefold() for root in _FIXED_ROOTS)


def _facts(group: Sequence[Entry], column: str, clinical: Mapping[str, ClinicalRule]) -> set[str]:
    rules = [rule for rule in clinical.values() if rule.column == column]
    missing = [text for rule in rules for text in rule.missing]
    meanings: dict[str, str] = {}
    for rule in rules:
        meanings |= spellings_of(rule.values)
    texts = {entry.cells[column] for entry in group}
    return {meanings.get(text, text).casefold() for text in texts if not is_missing(text, missing)}


def _grouped(ids: Iterable[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(ids):
        groups[text].append(place)
    return groups


def _rows(group: Sequence[Entry]) -> str:
    return "rows " + ", ".join(str(entry.row) for entry in group)
