"""What callers may ask, in the two forms of a request; what is odd is counted and not repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hnmets.registry.columns import InputColumn
from hnmets.registry.inputs import InputTable, Value
from hnmets.registry.prediction import CASE_ID
from hnmets.registry.predictor import Asked
from hnmets.serving.problems import Problem, invalid

Body = TypeVar("Body", bound=BaseModel)
Cell = float | int | bool | str | None
_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
_LONGEST_ID = 200


class Patient(BaseModel):
    """One patient by value."""

    model_config = _STRICT

    case_id: str | None = Field(default=None, max_length=_LONGEST_ID)
    values: dict[str, Cell]


class PredictBody(BaseModel):
    """Patients by value, or by the ids under which the store knows them."""

    model_config = _STRICT

    patients: list[Patient] = []
    case_ids: list[str] = []
    members: bool = False
    contributions: int = Field(default=0, ge=0, le=100)


class _Split(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    columns: list[str]
    data: list[list[Cell]]


class _Params(BaseModel):
    model_config = _STRICT

    members: bool = False
    contributions: int = Field(default=0, ge=0, le=100)


class InvocationsBody(BaseModel):
    """MLflow's contract: a frame as columns and rows, or as records."""

    model_config = _STRICT

    dataframe_split: _Split | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    params: _Params | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What was asked.

    Parameters
    ----------
    table
        Values; None where the store has to know them.
    """

    asked: Asked
    table: InputTable | None = None
    case_ids: tuple[str, ...] = ()


def predict_question(
    document: object, columns: Sequence[InputColumn], *, most_rows: int
) -> Question:
    """Read the body of `/predict`.

    Raises
    ------
    Problem
        If it is not of this form, asks for nothing or too much, or names unknown columns.
    """
    body = _checked(PredictBody, document)
    _require_some(len(body.patients) + len(body.case_ids), most_rows)
    if body.patients and body.case_ids:
        raise invalid("give `patients` or `case_ids`, not both")
    asked = Asked(contributions=body.contributions, members=body.members)
    if body.case_ids:
        return Question(asked=asked, case_ids=tuple(body.case_ids))
    ids = [each.case_id or str(row) for row, each in enumerate(body.patients, start=1)]
    rows = [each.values for each in body.patients]
    _require_known({name for row in rows for name in row}, columns)
    return Question(asked=asked, table=_table(ids, rows))


def invocations_question(
    document: object, columns: Sequence[InputColumn], *, most_rows: int
) -> Question:
    """Read the body of `/invocations`, which is MLflow's.

    Raises
    ------
    Problem
        See `predict_question`.
    """
    body = _checked(InvocationsBody, document)
    if (body.dataframe_split is None) == (body.dataframe_records is None):
        raise invalid("give `dataframe_split` or `dataframe_records`")
    params = body.params or _Params()
    rows: list[Mapping[str, Cell]]
    if body.dataframe_split is not None:
        rows = [*_records(body.dataframe_split)]
    else:
        rows = [*(body.dataframe_records or [])]
    _require_some(len(rows), most_rows)
    _require_known({name for row in rows for name in row} - {CASE_ID}, columns)
    ids = [str(row.get(CASE_ID) or number) for number, row in enumerate(rows, start=1)]
    asked = Asked(contributions=params.contributions, members=params.members)
    return Question(asked=asked, table=_table(ids, rows))


def _records(split: _Split) -> list[dict[str, Cell]]:
    if len(set(split.columns)) < len(split.columns):
        raise invalid("a column stands twice")
    if any(len(row) != len(split.columns) for row in split.data):
        raise invalid("a row has more or fewer cells than there are columns")
    return [dict(zip(split.columns, row, strict=True)) for row in split.data]


def _table(ids: Sequence[str], rows: Sequence[Mapping[str, Value]]) -> InputTable:
    names = list(dict.fromkeys(name for row in rows for name in row if name != CASE_ID))
    return InputTable(
        case_ids=tuple(ids), columns={name: [row.get(name) for row in rows] for name in names}
    )


def _checked(kind: type[Body], document: object) -> Body:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise _problem_of(kind, error) from None


def _problem_of(kind: type[BaseModel], error: ValidationError) -> Problem:
    """Say where the first problem is, by names of ours alone."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    ours = _names_of(kind)
    place = ".".join(str(p) for p in first["loc"] if isinstance(p, int) or p in ours)
    what = "unknown field" if first["type"] == "extra_forbidden" else first["msg"]
    return invalid(f"{place or 'the body'}: {what}")


def _names_of(kind: type[BaseModel]) -> set[str]:
    names = set(kind.model_fields)
    return names | set(Patient.model_fields) | set(_Split.model_fields) | set(_Params.model_fields)


def _require_some(rows: int, most: int) -> None:
    if rows == 0:
        raise invalid("nobody is asked about")
    if rows > most:
        raise invalid(f"more than {most} patients at once", code="too_many_rows")


def _require_known(names: set[str], columns: Sequence[InputColumn]) -> None:
    """Refuse columns that the model does not have; their names may be anything."""
    unknown = names - {column.name for column in columns}
    if unknown:
        raise invalid(
            f"{len(unknown)} columns are none of the model's: see /schema", code="unknown_columns"
        )
