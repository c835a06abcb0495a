"""What every fitted step is: learned from training rows once, then applied to any rows."""

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows, TrainRows
from hnmets.selection.errors import AbsentValuesError, ColumnsDifferError

AnyRows = TypeVar("AnyRows", bound=Rows)


class Fitted(Protocol):
    """What a step has learned, as a frozen dataclass of texts, numbers and arrays."""

    def apply(self, rows: AnyRows) -> AnyRows:
        """Return the same cases with changed columns.

        Raises
        ------
        ColumnsDifferError
            If the rows have other columns than those that the step was fitted on.
        """
        ...


class Step(Protocol):
    """Something that learns from training rows; its settings are a frozen dataclass."""

    def fit(self, rows: TrainRows) -> Fitted:
        """Learn; the same rows and settings give the same bytes.

        Raises
        ------
        AbsentValuesError
            If the step needs every value and one is absent.
        """
        ...


def require_columns(step: str, fitted: tuple[str, ...], rows: Rows) -> None:
    """Raise a ColumnsDifferError unless the rows have exactly these columns in this order."""
    if rows.columns != fitted:
        raise ColumnsDifferError(step, fitted, rows.columns)


def require_finite(step: str, rows: Rows, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the values of some columns, shape (cases, places).

    Raises
    ------
    AbsentValuesError
        If one is NaN or infinite.
    """
    values = rows.values[:, places]
    gaps = np.argwhere(~np.isfinite(values))
    if gaps.size:
        row, column = gaps[0]
        raise AbsentValuesError(step, rows.columns[places[column]], rows.case_ids[row])
    return values
