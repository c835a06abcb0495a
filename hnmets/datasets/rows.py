"""Design matrices, typed by what may be done with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Features and outcome of some cases, one row per case.

    Parameters
    ----------
    case_ids, patient_ids
        One per row; several cases may belong to one patient.
    columns
        `recipe.column`, or `recipe.column=category` of an encoded category.
    modalities
        Recipe of each column: `radiomics.tumour`, `embedding.both`, `clinical`, `size.tumour`.
    values
        float64, shape (cases, columns); NaN where absent.
    outcome
        bool, shape (cases,): whether the event was seen.

    Raises
    ------
    ValueError
        If the lengths do not fit each other, or two columns have one name.
    """

    case_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    columns: tuple[str, ...]
    modalities: tuple[str, ...]
    values: NDArray[np.float64]
    outcome: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Check that every row and every column is complete."""
        cases, columns = len(self.case_ids), len(self.columns)
        if self.values.shape != (cases, columns):
            raise ValueError(
                f"values of shape {self.values.shape} for {cases} cases and {columns} columns"
            )
        if (len(self.patient_ids), self.outcome.shape) != (cases, (cases,)):
            raise ValueError(f"{cases} cases need as many patients and outcomes")
        if len(self.modalities) != columns:
            raise ValueError(f"{columns} columns need as many modalities")
        if len(set(self.columns)) < columns:
            raise ValueError("two columns have one name")

    def among(self, places: Sequence[int] | NDArray[np.integer]) -> Self:
        """Return the rows at these places, in this order."""
        chosen = np.asarray(places, dtype=np.intp)
        return replace(
            self,
            case_ids=tuple(self.case_ids[place] for place in chosen),
            patient_ids=tuple(self.patient_ids[place] for place in chosen),
            values=self.values[chosen],
            outcome=self.outcome[chosen],
        )

    def with_columns(
        self,
        columns: Sequence[str],
        *,
        modalities: Sequence[str],
        values: NDArray[np.float64],
    ) -> Self:
        """Return the same cases with other features, shape (cases, columns)."""
        return replace(self, columns=tuple(columns), modalities=tuple(modalities), values=values)

    def of_columns(self, places: Sequence[int] | NDArray[np.integer]) -> Self:
        """Return the columns at these places, in this order."""
        chosen = np.asarray(places, dtype=np.intp)
        return self.with_columns(
            [self.columns[place] for place in chosen],
            modalities=[self.modalities[place] for place in chosen],
            values=self.values[:, chosen],
        )


class TrainRows(Rows):
    """Rows to learn from: the only kind that anything with a `fit` accepts."""


class ChoosingRows(Rows):
    """Rows of an inner part: to stop, threshold, calibrate or choose a setting by.

    A type of its own, so that no model stops or calibrates on the rows it is scored on.
    """


class HeldOutRows(Rows):
    """Rows to score; nothing is ever fitted on them."""
