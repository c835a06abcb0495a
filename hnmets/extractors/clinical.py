"""Clinical variables as a feature set: typed, nothing imputed."""

import hashlib
import json
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from feature_store.recipe import ColumnType, Json, Recipe
from feature_store.row import Row
from hnmets.domain.case import Case
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import Scalar

UNKNOWN = "unknown"
NOT_RECORDED = "not recorded"
NOT_UNDERSTOOD = "recorded, but not understood (see `hnmets cohort check`)"


@dataclass(frozen=True, kw_only=True)
class ClinicalVariable:
    """One clinical variable.

    Parameters
    ----------
    name
        Column in the feature set.
    type
        `number`, or `category`, of which `unknown` is one more.
    categories
        The values a category may take, in their order; empty where any text may come.
    unit
        Of a number: years, pack-years.
    """

    name: str
    type: Literal["number", "category"]
    categories: tuple[str, ...] = ()
    unit: str = ""

    def value_of(self, case: Case) -> float | str | None:
        """Return the case's value: a category is never missing, a number may be.

        Raises
        ------
        CaseError
            If the value is not of the variable's type or none of its categories.
        """
        value = case.clinical.get(self.name)
        if self.type == "number":
            return self._number(value)
        if value is None:
            return UNKNOWN
        if not isinstance(value, str) or (
            self.categories and value not in (*self.categories, UNKNOWN)
        ):
            known = ", ".join(self.categories) or "text"
            raise CaseError(
                Code.TABLE_VALUE, f"'{self.name}' is {value!r}, expected one of: {known}"
            )
        return value

    def _number(self, value: float | str | None) -> float | None:
        if value is None:
            return None
        if isinstance(value, str) or not isfinite(value):
            raise CaseError(Code.TABLE_VALUE, f"'{self.name}' is {value!r}, expected a number")
        return float(value)

    @property
    def identity(self) -> dict[str, Json]:
        """The variable as JSON."""
        return {"type": self.type, "categories": list(self.categories), "unit": self.unit}


DEFAULT_VARIABLES = (
    ClinicalVariable(name="age", type="number", unit="years"),
    ClinicalVariable(name="sex", type="category"),
    ClinicalVariable(name="smoking", type="category"),
    ClinicalVariable(name="alcohol", type="category"),
)


@dataclass(frozen=True, kw_only=True)
class Clinical:
    """The declared clinical variables of a case.

    Parameters
    ----------
    variables
        In the order of the columns; age, sex, smoking and alcohol by default.
    """

    variables: tuple[ClinicalVariable, ...] = field(default=DEFAULT_VARIABLES)

    @property
    def recipe(self) -> Recipe:
        """Identity in the store."""
        types: dict[str, ColumnType] = {"number": "double", "category": "text"}
        return Recipe(
            name="clinical",
            kind="clinical",
            columns=tuple(variable.name for variable in self.variables),
            types=tuple(types[variable.type] for variable in self.variables),
            parameters={"variables": {v.name: v.identity for v in self.variables}},
        )

    def values(self, case: Case) -> tuple[Scalar, ...]:
        """Return one value per column; None where a number was not recorded.

        Raises
        ------
        CaseError
            If a value is not of its variable's type or none of its categories.
        """
        return tuple(variable.value_of(case) for variable in self.variables)

    def row(self, case: Case) -> Row:
        """Return the case's row for the store; its input is the values themselves.

        Raises
        ------
        CaseError
            As `values`.
        """
        values = self.values(case)
        columns = self.recipe.columns
        unknown = [c for c, value in zip(columns, values, strict=True) if value == UNKNOWN]
        odd = [column for column in columns if column in case.not_understood]
        flags = {"unknown": unknown, "not_understood": [c for c in odd if c in unknown]}
        return Row(
            case_id=case.case_id,
            fingerprint=self.recipe.fingerprint,
            # What was not understood is another input than what is not there.
            input_digest=digest_of((*values, *odd)),
            values=values,
            reasons={
                column: NOT_UNDERSTOOD if column in odd else NOT_RECORDED
                for column, value in zip(columns, values, strict=True)
                if value is None
            },
            flags={name: ", ".join(listed) for name, listed in flags.items() if listed},
        )


def digest_of(values: tuple[Scalar, ...]) -> str:
    """SHA-256 of table values, the input digest of rows that come from no file."""
    return hashlib.sha256(json.dumps(values, allow_nan=False).encode()).hexdigest()
