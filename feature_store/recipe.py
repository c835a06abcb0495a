"""How a feature set is made: the identity under which its rows are stored."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Self

from feature_store.errors import InvalidRecipeError
from feature_store.plain import is_plain

Scalar = str | int | float | bool | None
Json = Scalar | list["Json"] | dict[str, "Json"]
ColumnType = Literal["double", "float", "text", "bool"]

# Columns that every table of the store has beside those of the recipe.
RESERVED_COLUMNS = frozenset({"case_id", "part", "row_id"})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What was computed, with what, in which columns.

    Parameters
    ----------
    name
        What people call it: `radiomics.tumour`, `embedding.both`, `clinical`.
    kind
        Family: radiomics, embedding, size, clinical, outcome, table.
    version
        Version of the extractor's code; raised when its values change.
    columns
        Column names in their fixed order.
    types
        One type for all columns, or one per column. `double` and `float` sets are stored as
        one vector per row, others as typed columns.
    parameters
        Every setting that the values depend on, rules of the region included.
    libraries
        Version of every library that defines the values.

    Examples
    --------
    >>> a = Recipe(name="size", kind="size", columns=("v",), parameters={"x": 1, "y": 2})
    >>> b = Recipe(name="size", kind="size", columns=("v",), parameters={"y": 2, "x": 1})
    >>> a.fingerprint == b.fingerprint
    True
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    version: int = 1
    types: ColumnType | tuple[ColumnType, ...] = "double"
    parameters: Mapping[str, Json] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)

    @property
    def canonical(self) -> str:
        """The recipe as JSON with sorted keys: equal recipes give equal text."""
        content = {
            "name": self.name,
            "kind": self.kind,
            "version": self.version,
            "columns": list(self.columns),
            "types": self.types if isinstance(self.types, str) else list(self.types),
            "parameters": dict(self.parameters),
            "libraries": dict(self.libraries),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical text, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def label(self) -> str:
        """Short form for people: `radiomics.tumour@e6562cf5`."""
        return f"{self.name}@{self.fingerprint[:8]}"

    @property
    def is_vector(self) -> bool:
        """Whether a row is one vector of numbers rather than typed columns."""
        return self.types in ("double", "float")

    @property
    def column_types(self) -> tuple[ColumnType, ...]:
        """One type per column."""
        return (self.types,) * len(self.columns) if isinstance(self.types, str) else self.types

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        """Read the recipe back from its canonical text."""
        content = json.loads(text)
        types: ColumnType | list[ColumnType] = content["types"]
        return cls(
            name=content["name"],
            kind=content["kind"],
            version=content["version"],
            columns=tuple(content["columns"]),
            types=types if isinstance(types, str) else tuple(types),
            parameters=content["parameters"],
            libraries=content["libraries"],
        )

    def check(self) -> None:
        """Refuse names that a database or a terminal would change or run.

        Raises
        ------
        InvalidRecipeError
            If a name is empty, has control characters, is the store's own, or differs from
            another one by upper and lower case alone (DuckDB would rename the second).
        """
        for name in (self.name, self.kind, *self.columns):
            if not name or not is_plain(name):
                raise InvalidRecipeError(f"recipe {self.name!r}: {name!r} is not a usable name")
        folded = Counter(column.lower() for column in self.columns)
        if reserved := RESERVED_COLUMNS & folded.keys():
            raise InvalidRecipeError(
                f"recipe {self.name}: column {min(reserved)} belongs to the store; rename it"
            )
        if twice := [column for column in self.columns if folded[column.lower()] > 1]:
            raise InvalidRecipeError(f"recipe {self.name}: columns {twice} are the same to SQL")
        if not self.columns or len(self.column_types) != len(self.columns):
            raise InvalidRecipeError(
                f"recipe {self.name}: {len(self.columns)} columns, {len(self.column_types)} types"
            )
