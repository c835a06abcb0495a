"""How two recipes, and the values they give, differ."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Json, Recipe
from feature_store.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Change:
    """One setting that differs; None where a side does not have it."""

    setting: str
    a: Json
    b: Json


@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """How far the values of a shared column differ over the cases that both recipes have.

    Parameters
    ----------
    max_absolute
        Largest difference, in the column's unit.
    max_relative
        Largest difference as a share of the larger of the two magnitudes.
    n_absent_in_one
        Cases where only one side has a value.
    """

    column: str
    max_absolute: float
    max_relative: float
    n_absent_in_one: int


@dataclass(frozen=True, kw_only=True)
class RecipeDiff:
    """How two recipes differ.

    Parameters
    ----------
    settings
        Parameters, versions, libraries and types that differ, by dotted name.
    columns
        Shared numeric columns, those that differ most (relatively) first.
    """

    a: Recipe
    b: Recipe
    settings: tuple[Change, ...]
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    n_common_cases: int
    columns: tuple[ColumnChange, ...]


def diff(recipe_a: str, recipe_b: str, snapshot: Snapshot) -> RecipeDiff:
    """Compare two recipes of a snapshot, asked for by name, label or fingerprint.

    Raises
    ------
    UnknownRecipeError, AmbiguousRecipeError, SeveralPartsError
        See `Snapshot.matrix`.
    """
    a, b = snapshot.find(recipe_a), snapshot.find(recipe_b)
    columns_a, columns_b = set(a.columns), set(b.columns)
    n_common, columns = _compare(a, b, snapshot)
    return RecipeDiff(
        a=a,
        b=b,
        settings=tuple(_changes(a, b)),
        only_in_a=tuple(c for c in a.columns if c not in columns_b),
        only_in_b=tuple(c for c in b.columns if c not in columns_a),
        n_common_cases=n_common,
        columns=columns,
    )


def _changes(a: Recipe, b: Recipe) -> Iterator[Change]:
    flat_a, flat_b = _settings(a), _settings(b)
    for setting in sorted(flat_a.keys() | flat_b.keys()):
        if flat_a.get(setting) != flat_b.get(setting):
            yield Change(setting=setting, a=flat_a.get(setting), b=flat_b.get(setting))


def _settings(recipe: Recipe) -> dict[str, Json]:
    content = json.loads(recipe.canonical)
    del content["columns"]
    return dict(_flat(content))


def _flat(content: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _compare(a: Recipe, b: Recipe, snapshot: Snapshot) -> tuple[int, tuple[ColumnChange, ...]]:
    table_a, table_b = snapshot.tables[a.fingerprint], snapshot.tables[b.fingerprint]
    common = sorted(table_a.row_of_case.keys() & table_b.row_of_case.keys())
    names_a, values_a = table_a.numeric()
    names_b, values_b = table_b.numeric()
    shared = [name for name in names_a if name in set(names_b)]
    rows_a = [table_a.row_of_case[case] for case in common]
    rows_b = [table_b.row_of_case[case] for case in common]
    left = values_a[rows_a][:, _positions(names_a, shared)].astype(np.float64)
    right = values_b[rows_b][:, _positions(names_b, shared)].astype(np.float64)
    if not common:
        return 0, ()
    return len(common), _column_changes(shared, left, right)


def _positions(names: tuple[str, ...], wanted: list[str]) -> list[int]:
    position = {name: index for index, name in enumerate(names)}
    return [position[name] for name in wanted]


def _column_changes(
    names: list[str], left: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[ColumnChange, ...]:
    one_absent = np.isnan(left) != np.isnan(right)
    # Equal infinities differ by nothing; where a side has no value there is nothing to compare.
    comparable = ~np.isnan(left) & ~np.isnan(right) & (left != right)
    absolute, relative = np.zeros_like(left), np.zeros_like(left)
    np.subtract(left, right, out=absolute, where=comparable)
    np.abs(absolute, out=absolute)
    larger = np.maximum(np.abs(left), np.abs(right))
    np.divide(absolute, larger, out=relative, where=comparable & np.isfinite(larger))
    changes = [
        ColumnChange(
            column=name,
            max_absolute=float(absolute[:, i].max()),
            max_relative=float(relative[:, i].max()),
            n_absent_in_one=int(one_absent[:, i].sum()),
        )
        for i, name in enumerate(names)
    ]
    return tuple(sorted(changes, key=lambda change: (-change.max_relative, change.column)))
