"""`features import`: features that others computed enter the same store, with the same checks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import ColumnType, Recipe
from feature_store.row import Row
from feature_store.shard import write_shard
from feature_store.store import FeatureStore
from hnmets.domain.case import Case
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.extractors.clinical import digest_of
from hnmets.extractors.radiomics_names import ALL_IMAGES, column_names
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.sources.feature_table import (
    FeatureTable,
    constant_columns,
    duplicated_vectors,
    foreseeing_columns,
    outcome_like,
    read_column,
)
from hnmets.sources.table import Table, TableRow, read_table
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import workbench_of

Kind = Literal["embedding", "radiomics", "table"]


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What to import.

    Parameters
    ----------
    name
        Name of the recipe.
    made_by
        Software, weights, version: part of the recipe's identity, so that two makers never
        share a column.
    despite
        Why columns that look like the outcome or the future may enter all the same; recorded.
    """

    table: Path
    name: str
    kind: Kind
    case_column: str
    made_by: str = ""
    despite: str = ""


@dataclass(kw_only=True)
class Imported:
    """What came in, and what is odd about it.

    Parameters
    ----------
    missing
        Cases of the cohort without a row.
    remarks
        What a person should know.
    """

    label: str
    rows: int
    missing: tuple[str, ...]
    remarks: list[str] = field(default_factory=list)


def run(study: Study, request: ImportRequest) -> Imported:
    """Check a table of features and commit it under a recipe of its own.

    Raises
    ------
    InvalidDataError
        If a case has contradicting rows, a column is no feature, or a column looks like the
        outcome or the future and no reason was given.
    """
    _check_name(study, request.name)
    cases = {case.case_id: case for case in read_cohort(study).cases}
    table = read_table(request.table, look_at="the path of the table on the command line")
    table.require({"--case-column": request.case_column})
    remarks: list[str] = []
    rows = _one_per_case(table, request.case_column, cases, remarks)
    features = _features(table, rows, request)
    _refuse_foresight(features, cases, request)
    remarks += _oddities(features, cases, request.kind)
    recipe = _recipe(features, request)
    stored = _rows(features, recipe)
    with FeatureStore.open(study.store_folder) as store:
        store.commit([write_shard(study.store_folder, [recipe], stored)])
        store.publish()
    missing = tuple(case_id for case_id in cases if case_id not in rows)
    return Imported(label=recipe.label, rows=len(stored), missing=missing, remarks=remarks)


def _check_name(study: Study, name: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name):
        raise UsageError(f"'{name}' is no name of a recipe").with_note(
            "Use letters, digits, '_', '-' and '.', such as ct-fm."
        )
    if name in {recipe.name for recipe in workbench_of(study).recipes}:
        raise UsageError(f"'{name}' is a recipe of the study itself").with_note(
            "Choose another name."
        )


def _first(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - 5} more" if len(texts) > 5 else ""
    return "; ".join(texts[:5]) + more


def _one_per_case(
    table: Table, case_column: str, cases: dict[str, Case], remarks: list[str]
) -> dict[str, TableRow]:
    """Return one row per known case; tell about the others."""
    found: dict[str, TableRow] = {}
    unknown = []
    for row in table.rows:
        case_id = row.cells[case_column]
        if case_id not in cases:
            unknown.append(f"'{case_id}' (row {row.number})")
        elif case_id not in found:
            found[case_id] = row
        elif found[case_id].cells == row.cells:
            remarks.append(f"rows {found[case_id].number} and {row.number} are the same; one kept")
        else:
            raise InvalidDataError(
                f"case {case_id}: row {row.number} contradicts row {found[case_id].number}"
            ).with_note("Keep one row per case.")
    if unknown:
        remarks.append(f"{len(unknown)} rows of no case in the cohort: {', '.join(unknown[:5])}")
    if not found:
        raise InvalidDataError(
            f"no row of {table.path.name} is of a case in the cohort"
        ).with_note(f"Column '{case_column}' must hold the ids of the study's manifest.")
    return found


def _features(table: Table, rows: dict[str, TableRow], request: ImportRequest) -> FeatureTable:
    columns = tuple(name for name in table.columns if name != request.case_column)
    values = {name: read_column([row.cells[name] for row in rows.values()]) for name in columns}
    texts = [name for name, column in values.items() if not isinstance(column, np.ndarray)]
    if texts and request.kind != "table":
        raise InvalidDataError(
            f"column '{texts[0]}' is no number in every row, as {request.kind} has to be; "
            f"the first that is none: {_first_text(table, rows, texts[0])}"
        ).with_note("Correct the cell or leave it empty; --kind table takes columns of text.")
    return FeatureTable(case_ids=tuple(rows), columns=columns, values=values)


def _first_text(table: Table, rows: dict[str, TableRow], column: str) -> str:
    for case_id, row in rows.items():
        cell = row.cells[column]
        if cell and not isinstance(read_column([cell]), np.ndarray):
            return f"'{cell}' (case {case_id}, row {row.number} of {table.path.name})"
    return "mixed decimal signs"


def _refuse_foresight(
    features: FeatureTable, cases: dict[str, Case], request: ImportRequest
) -> None:
    event_of = {c.case_id: c.outcome.event for c in cases.values() if c.outcome}
    found = [f"'{name}' {how}" for name, how in outcome_like(features, event_of).items()]
    words = foreseeing_columns(features)
    found += [f"'{name}' smells of the future ({word})" for name, word in words.items()]
    if found and not request.despite:
        raise InvalidDataError(f"{request.table.name}: {_first(found)}").with_note(
            "Drop these columns, or say with --despite why they were known before treatment."
        )


def _oddities(features: FeatureTable, cases: dict[str, Case], kind: Kind) -> list[str]:
    remarks = []
    if constant := constant_columns(features):
        remarks.append(f"{len(constant)} columns are constant: {', '.join(constant[:5])}")
    patient_of = {case_id: cases[case_id].patient_id for case_id in features.case_ids}
    remarks += [
        f"the same features under several patients: {', '.join(group)}"
        for group in duplicated_vectors(features, patient_of)
    ]
    if kind == "radiomics":
        remarks += _misnamed(features.columns)
    return remarks


def _misnamed(columns: Sequence[str]) -> list[str]:
    """Compare the names with PyRadiomics' 1562."""
    expected = set(column_names(ALL_IMAGES, RadiomicsParameters().log_sigmas_mm))
    foreign, lacking = sorted(set(columns) - expected), sorted(expected - set(columns))
    remarks = []
    if foreign:
        remarks.append(f"{len(foreign)} names are none of the 1562: {', '.join(foreign[:5])}")
    if lacking:
        remarks.append(f"{len(lacking)} of the 1562 are not there: {', '.join(lacking[:5])}")
    return remarks


def _recipe(features: FeatureTable, request: ImportRequest) -> Recipe:
    numeric = all(isinstance(column, np.ndarray) for column in features.values.values())
    types: ColumnType | tuple[ColumnType, ...]
    if request.kind == "embedding":
        types = "float"
    elif numeric:
        types = "double"
    else:
        types = tuple(
            "double" if isinstance(features.values[name], np.ndarray) else "text"
            for name in features.columns
        )
    return Recipe(
        name=request.name,
        kind=request.kind,
        columns=features.columns,
        types=types,
        parameters={"imported": True, "made_by": request.made_by, "despite": request.despite},
    )


def _rows(features: FeatureTable, recipe: Recipe) -> list[Row]:
    rows = []
    for number, case_id in enumerate(features.case_ids):
        values = [_scalar(column[number]) for column in features.values.values()]
        rows.append(
            Row(
                case_id=case_id,
                fingerprint=recipe.fingerprint,
                input_digest=digest_of(tuple(values)),
                values=values if isinstance(recipe.types, tuple) else _vector(values, recipe),
                reasons={
                    name: "not in the imported table"
                    for name, value in zip(recipe.columns, values, strict=True)
                    if value is None
                },
            )
        )
    return rows


def _vector(
    values: Sequence[float | str | None], recipe: Recipe
) -> NDArray[np.float64] | NDArray[np.float32]:
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return numbers.astype(np.float32) if recipe.types == "float" else numbers


def _scalar(value: object) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]  # a NumPy number
    return None if np.isnan(number) else number
