"""The table half of the cohort gate: who is in the study, who is not, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from hnmets.domain.case import Case, Failure
from hnmets.domain.errors import CaseError, UsageError
from hnmets.domain.outcome import Outcome
from hnmets.extractors.clinical import DEFAULT_VARIABLES
from hnmets.sources.case_files import CaseFiles, find_files, shared_images
from hnmets.sources.clinical import Value, is_missing, read_column
from hnmets.sources.dictionary import Variable, describe, doubts
from hnmets.sources.finding import Finding, Findings
from hnmets.sources.flow import BY_RULE, Flow, flow
from hnmets.sources.location import DataFolder
from hnmets.sources.manifest import Entry, centre_of, open_manifest, read_entries
from hnmets.sources.outcomes import read_outcomes
from hnmets.sources.screening import Screening, screen
from hnmets.sources.table import Table
from hnmets.workflows.disguise import disguised_outcomes
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """All rows of a study, each either a case or a failure.

    Parameters
    ----------
    cases
        In the order of the manifest.
    failures
        Rows that were left out, each with one reason.
    findings
        Values that were not understood or contradict others, and what was done with them.
    dictionary
        Clinical variables over the included cases.
    warnings
        What concerns the whole table or a whole column.
    unused_columns
        Columns that the study file does not name; nothing reads them.
    rows_read
        Rows of the manifest that hold anything, or files that fit the pattern.
    """

    cases: tuple[Case, ...]
    failures: tuple[Failure, ...] = ()
    findings: tuple[Finding, ...] = ()
    dictionary: tuple[Variable, ...] = ()
    warnings: tuple[str, ...] = ()
    unused_columns: tuple[str, ...] = ()
    rows_read: int

    @property
    def flow(self) -> Flow:
        """How many rows were read, left out by which reason, and included."""
        return flow(read=self.rows_read, included=len(self.cases), failures=self.failures)

    @property
    def defects(self) -> tuple[Failure, ...]:
        """Failures that somebody can mend; the others are the study's own rules."""
        return tuple(failure for failure in self.failures if failure.code not in BY_RULE)

    def chosen(self, case_ids: Sequence[str]) -> tuple[Case, ...]:
        """Return the cases of these ids, or all where none is named.

        Raises
        ------
        UsageError
            If a case is not in the cohort.
        """
        if not case_ids:
            return self.cases
        chosen = {case.case_id: case for case in self.cases if case.case_id in case_ids}
        if unknown := [case_id for case_id in case_ids if case_id not in chosen]:
            raise UsageError(f"no case '{unknown[0]}' in the cohort").with_note(
                "Case ids are those of the manifest; `hnmets cohort check` lists who was left out."
            )
        return tuple(chosen.values())

    @property
    def patients(self) -> int:
        """Patients among the cases."""
        return len({case.patient_id for case in self.cases})

    @property
    def events(self) -> int | None:
        """Patients with the event; None where the study has no outcome."""
        outcomes = [case.outcome for case in self.cases]
        if None in outcomes or not outcomes:
            return None
        return len({c.patient_id for c in self.cases if c.outcome and c.outcome.event})


def read_cohort(study: Study) -> Cohort:
    """Read the manifest and look for the files; no image is opened and nothing is changed.

    Raises
    ------
    InvalidDataError
        If the table as a whole cannot be used: a column is missing, its rows are ragged, …
    """
    folder = DataFolder(study.root)
    table = open_manifest(study.cohort, study.root)
    if table is not None:
        table.require(study.columns)
    entries = read_entries(study.cohort, table, folder)
    findings = Findings()
    values = _clinical(study, entries, findings)
    rows = screen(
        entries,
        exclude=study.cohort.exclude,
        used_columns=tuple(dict.fromkeys(study.columns.values())),
        clinical=study.clinical,
    )
    outcomes = _outcomes(study, rows, findings)
    files, notes = _files(study, rows, folder)
    cases = tuple(
        Case(
            case_id=entry.case_id,
            patient_id=entry.patient_id,
            centre=centre_of(study.cohort.centre, entry, findings),
            image=files[entry.case_id].image,
            masks=files[entry.case_id].masks,
            clinical={name: values[name][entry.row] for name in study.clinical},
            not_understood=frozenset(
                name
                for name, rule in study.clinical.items()
                if values[name][entry.row] is None
                and not is_missing(entry.cells[rule.column], rule.missing)
            ),
            outcome=outcomes.get(entry.case_id),
            row=entry.row,
        )
        for entry in rows.kept
    )
    dictionary, doubtful = _dictionary(study, rows.kept, values)
    return Cohort(
        cases=cases,
        failures=tuple(rows.failures),
        findings=findings.collected(),
        dictionary=dictionary,
        warnings=(
            *disguised_outcomes(cases, study.predictors),
            *_remarks(study, table, entries, cases),
            *notes,
            *doubtful,
        ),
        unused_columns=_unused(study, table),
        rows_read=len(entries),
    )


def _clinical(
    study: Study, entries: Sequence[Entry], findings: Findings
) -> dict[str, dict[int, Value]]:
    """Return the values of each variable by row."""
    values = {}
    for name, rule in study.clinical.items():
        cells = [(entry.row, entry.cells[rule.column]) for entry in entries]
        understood = read_column(rule, cells, findings)
        values[name] = {entry.row: value for entry, value in zip(entries, understood, strict=True)}
    return values


def _outcomes(study: Study, rows: Screening, findings: Findings) -> dict[str, Outcome]:
    """Return the outcomes by case; rows without a usable one are dropped."""
    if study.outcome is None:
        return {}
    told = [(entry.row, entry.cells) for entry in rows.kept]
    results = dict(enumerate(read_outcomes(study.outcome, told, findings)))
    known = {
        rows.kept[place].case_id: result
        for place, result in results.items()
        if isinstance(result, Outcome)
    }
    rows.drop({p: result for p, result in results.items() if isinstance(result, CaseError)})
    return known


def _files(
    study: Study, rows: Screening, folder: DataFolder
) -> tuple[dict[str, CaseFiles], list[str]]:
    """Return the files by case, and remarks; rows without their files are dropped."""
    found: dict[int, CaseFiles] = {}
    missing: dict[int, CaseError] = {}
    for place, entry in enumerate(rows.kept):
        try:
            found[place] = find_files(
                entry, image=study.cohort.image, regions=study.drawn, folder=folder
            )
        except CaseError as error:
            missing[place] = error
    rows.drop(missing)
    files = list(found.values())
    shared, notes = shared_images(rows.kept, files)
    by_case = {entry.case_id: file for entry, file in zip(rows.kept, files, strict=True)}
    rows.drop(shared)
    return by_case, notes


def _dictionary(
    study: Study, kept: Sequence[Entry], values: dict[str, dict[int, Value]]
) -> tuple[tuple[Variable, ...], list[str]]:
    dictionary = []
    doubtful: list[str] = []
    for name, rule in study.clinical.items():
        texts = [entry.cells[rule.column] for entry in kept]
        understood = [values[name][entry.row] for entry in kept]
        variable = describe(name, rule, texts, understood)
        dictionary.append(variable)
        # Where nobody is left, each variable would repeat it.
        doubtful += doubts(variable, rule) if kept else ()
    return tuple(dictionary), doubtful


def _remarks(
    study: Study, table: Table | None, entries: Sequence[Entry], cases: Sequence[Case]
) -> list[str]:
    remarks = list(table.notes) if table else []
    known = {entry.case_id for entry in entries}
    remarks += [
        f"cohort.exclude: there is no case '{case}'"
        for case in study.cohort.exclude
        if case not in known
    ]
    usual = {variable.name for variable in DEFAULT_VARIABLES} - study.clinical.keys()
    if waiting := [column for column in _unused(study, table) if column.casefold() in usual]:
        listed = ", ".join(f"'{column}'" for column in waiting)
        remarks.append(
            f"clinical: the table has {listed}, which the study does not declare; nothing is "
            "guessed, so they are no features until [clinical.<name>] describes them"
        )
    if not cases:
        remarks.append("no case is left")
    elif study.outcome and len({case.outcome and case.outcome.event for case in cases}) == 1:
        remarks.append(f"outcome: every case has the same '{study.outcome.event}'")
    return remarks


def _unused(study: Study, table: Table | None) -> tuple[str, ...]:
    used = set(study.columns.values())
    return tuple(column for column in (table.columns if table else ()) if column not in used)
