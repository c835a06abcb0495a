"""Wide SQL views: one column per feature, for people who ask DuckDB itself."""

from collections.abc import Iterable

import duckdb
from duckdb import (
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
    StarExpression,
)

from feature_store.recipe import Recipe
from feature_store.stored_rows import typed_name


def create_wide_views(
    connection: duckdb.DuckDBPyConnection, recipes: Iterable[Recipe]
) -> tuple[str, ...]:
    """Make or replace `wide_<name>_<fingerprint's start>` for each recipe; return the names.

    Names go through DuckDB's relational API, which quotes them, never into a text.
    """
    return tuple(_create(connection, recipe) for recipe in recipes)


def _create(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> str:
    name = f"wide_{recipe.name}_{recipe.fingerprint[:8]}"
    rows = connection.table("current_row").filter(
        ColumnExpression("fingerprint") == ConstantExpression(recipe.fingerprint)
    )
    keys = [ColumnExpression("case_id"), ColumnExpression("part")]
    if recipe.is_vector:
        elements = [
            _element(recipe, position).alias(column)
            for position, column in enumerate(recipe.columns, start=1)
        ]
        wide = rows.select(*keys, *elements)
    else:
        # By a star: DuckDB 1.5 would parse a column's name as a qualified one.
        typed = connection.table(typed_name(recipe))
        joined = rows.select(ColumnExpression("row_id"), *keys).join(typed, "row_id")
        wide = joined.select(StarExpression(exclude=["row_id"]))
    wide.create_view(name, replace=True)
    return name


def _element(recipe: Recipe, position: int) -> Expression:
    vector = "doubles" if recipe.types == "double" else "floats"
    return FunctionExpression(
        "list_extract", ColumnExpression(vector), ConstantExpression(position)
    )
