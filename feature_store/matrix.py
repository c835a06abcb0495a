"""One design matrix out of several recipes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_store.errors import MixedRecipesError
from feature_store.recipe_table import RecipeTable


@dataclass(frozen=True, kw_only=True)
class FeatureMatrix:
    """Features of many cases, one row per case.

    Parameters
    ----------
    case_ids
        Sorted, so that folds are reproducible.
    columns
        `recipe.column`, for numbers and truth values (0 and 1).
    values
        float64, shape (cases, columns); NaN where absent.
    text
        Text columns by `recipe.column`, one entry per case; None where absent.
    incomplete
        Cases that lack a recipe, by the recipe's label.
    """

    case_ids: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    text: Mapping[str, tuple[str | None, ...]]
    incomplete: Mapping[str, tuple[str, ...]]


def assemble(tables: Sequence[RecipeTable], *, complete: bool) -> FeatureMatrix:
    """Join tables on the case; see `Snapshot.matrix`."""
    _refuse_mixtures(tables)
    everyone = set().union(*(table.row_of_case for table in tables))
    lacking = {
        table.recipe.label: tuple(sorted(everyone - table.row_of_case.keys())) for table in tables
    }
    left_out = {case for cases in lacking.values() for case in cases} if complete else set()
    case_ids = sorted(everyone - left_out)
    columns, values = _numeric(tables, case_ids)
    return FeatureMatrix(
        case_ids=tuple(case_ids),
        columns=columns,
        values=values,
        text={k: v for table in tables for k, v in _texts(table, case_ids).items()},
        incomplete={label: cases for label, cases in lacking.items() if cases},
    )


def _refuse_mixtures(tables: Sequence[RecipeTable]) -> None:
    names = [table.recipe.name for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise MixedRecipesError([t.recipe.label for t in tables if t.recipe.name == name])


def _numeric(
    tables: Sequence[RecipeTable], case_ids: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    blocks = [table.numeric() for table in tables]
    columns = tuple(
        f"{table.recipe.name}.{column}"
        for table, (names, _) in zip(tables, blocks, strict=True)
        for column in names
    )
    values = np.full((len(case_ids), len(columns)), np.nan)
    start = 0
    for table, (names, block) in zip(tables, blocks, strict=True):
        here = [row for row, case in enumerate(case_ids) if case in table.row_of_case]
        there = [table.row_of_case[case_ids[row]] for row in here]
        values[here, start : start + len(names)] = block[there]
        start += len(names)
    return columns, values


def _texts(table: RecipeTable, case_ids: Sequence[str]) -> dict[str, tuple[str | None, ...]]:
    rows = [table.row_of_case.get(case) for case in case_ids]
    return {
        f"{table.recipe.name}.{column}": tuple(
            None if row is None else values[row] for row in rows
        )
        for column, values in table.texts().items()
    }
