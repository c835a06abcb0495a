"""From what a caller gives to rows of the design matrix; what is wrong is named by its column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isinf, isnan

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows
from hnmets.extractors.clinical import UNKNOWN
from hnmets.registry.columns import InputColumn
from hnmets.registry.errors import AbsentColumnsError, InputError

Value = float | int | str | bool | None


@dataclass(frozen=True, kw_only=True)
class InputTable:
    """Values of some patients.

    Parameters
    ----------
    case_ids
        One per row; numbers serve where there are none.
    columns
        Values by column, one per row; None or NaN where absent.
    """

    case_ids: tuple[str, ...]
    columns: Mapping[str, Sequence[Value]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Rows as a model takes them.

    Parameters
    ----------
    rows
        The outcome is not known: False throughout.
    absent
        bool, shape (cases, input columns): what was not told.
    """

    rows: Rows
    absent: NDArray[np.bool_]


def inputs_of(table: InputTable, columns: Sequence[InputColumn], encoded: Sequence[str]) -> Inputs:
    """Read a table; its columns may stand in any order, and others are passed over.

    A feature set of which no column is there is absent from every row.

    Parameters
    ----------
    columns
        What the model has to be told.
    encoded
        Columns of the design matrix that it takes, in their order.

    Raises
    ------
    AbsentColumnsError
        If a feature set is there in part.
    InputError
        If a value is of another type, infinite, or none of the declared categories.
    """
    _require_whole_sets(table, columns)
    cases = len(table.case_ids)
    made: dict[str, NDArray[np.float64]] = {}
    absent = np.zeros((cases, len(columns)), dtype=np.bool_)
    for place, column in enumerate(columns):
        given = table.columns.get(column.name, (None,) * cases)
        read = _numbers if column.type == "number" else _categories
        values, absent[:, place] = read(column, given)
        made |= dict(zip(column.encoded, values, strict=True))
    feature_set = {name: each.feature_set for each in columns for name in each.encoded}
    rows = Rows(
        case_ids=table.case_ids,
        patient_ids=table.case_ids,
        columns=tuple(encoded),
        modalities=tuple(feature_set[name] for name in encoded),
        values=np.column_stack([made[name] for name in encoded]),
        outcome=np.zeros(cases, dtype=np.bool_),
    )
    return Inputs(rows=rows, absent=absent)


def is_absent(value: Value) -> bool:
    """Whether a value says nothing: None, NaN or an empty text."""
    return value is None or value == "" or (isinstance(value, float) and isnan(value))


def _require_whole_sets(table: InputTable, columns: Sequence[InputColumn]) -> None:
    by_set: dict[str, list[str]] = {}
    for column in columns:
        by_set.setdefault(column.feature_set, []).append(column.name)
    for name, own in by_set.items():
        lacking = [column for column in own if column not in table.columns]
        if lacking and len(lacking) < len(own):
            raise AbsentColumnsError(name, lacking)


def _numbers(
    column: InputColumn, given: Sequence[Value]
) -> tuple[list[NDArray[np.float64]], NDArray[np.bool_]]:
    values = np.full(len(given), np.nan)
    for row, value in enumerate(given):
        if is_absent(value):
            continue
        if isinstance(value, str | bool) or value is None:
            raise InputError(column.name, "is no number", row=row)
        values[row] = _finite(value, column, row)
    return [values], np.isnan(values)


def _finite(value: float, column: InputColumn, row: int) -> float:
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = inf
    if isinf(number):
        raise InputError(column.name, "is not finite", row=row)
    return number


def _categories(
    column: InputColumn, given: Sequence[Value]
) -> tuple[list[NDArray[np.float64]], NDArray[np.bool_]]:
    told = [UNKNOWN if is_absent(value) else value for value in given]
    for row, value in enumerate(told):
        if value not in column.categories:
            known = ", ".join(column.categories)
            raise InputError(column.name, f"is none of: {known}", row=row)
    texts = np.array(told, dtype=object)
    values = [(texts == category).astype(np.float64) for category in column.categories]
    return values, texts == UNKNOWN
