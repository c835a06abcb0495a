"""Rows out of the database, in the form in which they are published."""

from datetime import datetime
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from feature_store.database import ask, ask_arrow
from feature_store.recipe import Recipe
from feature_store.recipe_table import RecipeTable, whole

if TYPE_CHECKING:
    import pyarrow as pa

# Later than any commit: the rows that count now. The database keeps UTC without naming it.
NOW = datetime(9999, 12, 31)
_KEYS = ("case_id", "part", "input_digest", "content_hash")
_TEXTS = ("reasons", "flags", "made_with")


def stored_recipes(connection: duckdb.DuckDBPyConnection) -> dict[str, Recipe]:
    """Return all recipes by fingerprint."""
    recipes = [Recipe.from_canonical(text) for (text,) in ask(connection, "recipes")]
    return {recipe.fingerprint: recipe for recipe in recipes}


def typed_name(recipe: Recipe) -> str:
    """Name of the table that holds a typed recipe's values: hexadecimal, safe anywhere."""
    return f"typed_{recipe.fingerprint}"


def stored_table(
    connection: duckdb.DuckDBPyConnection, recipe: Recipe, moment: datetime = NOW
) -> RecipeTable:
    """Return the rows of a recipe that counted at a moment (UTC, without time zone)."""
    import pyarrow as pa

    found = ask_arrow(connection, "recipe_rows", fingerprint=recipe.fingerprint, moment=moment)
    values = _vectors(found, recipe) if recipe.is_vector else _struct(connection, found, recipe)
    arrays = [*(found[name] for name in _KEYS), values, *(found[name] for name in _TEXTS)]
    table = pa.table(arrays, names=[*_KEYS, "values", *_TEXTS])
    return RecipeTable(recipe=recipe, table=table)


def _vectors(found: "pa.Table", recipe: Recipe) -> "pa.Array":
    """Turn lists with NULLs into vectors of fixed size with NaN, which are mapped, not parsed."""
    import pyarrow as pa

    lists = whole(found["doubles" if recipe.types == "double" else "floats"])
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    precision = np.float64 if recipe.types == "double" else np.float32
    return pa.FixedSizeListArray.from_arrays(
        pa.array(flat.astype(precision, copy=False)), len(recipe.columns)
    )


def _struct(
    connection: duckdb.DuckDBPyConnection, found: "pa.Table", recipe: Recipe
) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = connection.table(typed_name(recipe)).to_arrow_table()
    rows = pc.index_in(whole(found["row_id"]), value_set=whole(stored["row_id"]))
    values = stored.take(rows).drop_columns(["row_id"])
    return pa.StructArray.from_arrays(
        [whole(column) for column in values.columns], names=list(recipe.columns)
    )
