"""Append rows to the database: one transaction per batch."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from feature_store.current import Current
from feature_store.database import ask, from_utc, tell, to_utc, transaction
from feature_store.errors import InvalidRecipeError
from feature_store.journal import Commit
from feature_store.recipe import Recipe
from feature_store.shard import Shard
from feature_store.stored_rows import NOW, stored_recipes, typed_name

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(kw_only=True)
class Ledger:
    """What the database holds, kept in memory beside it while it is open.

    Parameters
    ----------
    recipes
        By fingerprint.
    last_row_id
        Row ids only grow: they are the order in which rows were appended.
    """

    connection: duckdb.DuckDBPyConnection
    recipes: dict[str, Recipe]
    commits: list[Commit]
    current: Current
    last_row_id: int

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "Ledger":
        """Read what the database holds, without the values."""
        recipes = stored_recipes(connection)
        [(last_row_id,)] = ask(connection, "last_row")
        return cls(
            connection=connection,
            recipes=recipes,
            commits=[
                Commit(number=number, at=to_utc(at), shards=tuple(shards))
                for number, at, shards in ask(connection, "commits")
            ],
            current=Current.of(ask(connection, "row_keys", moment=NOW)),
            last_row_id=last_row_id,
        )

    def commit(self, shards: Sequence[Shard], commit: Commit) -> int:
        """Append the rows that are new, all or none, and return their number.

        After an exception the ledger no longer tells what the database holds: make a new one.
        """
        self._add_recipes(shards)
        fresh = _fresh_rows(shards, self.current)
        with transaction(self.connection):
            tell(
                self.connection,
                "insert_commit",
                commit_number=commit.number,
                committed_at=from_utc(commit.at),
                shards=list(commit.shards),
            )
            if fresh is not None:
                self._insert(fresh, commit)
        self.commits.append(commit)
        return 0 if fresh is None else int(fresh.num_rows)

    def _add_recipes(self, shards: Iterable[Shard]) -> None:
        """Make recipes known in a transaction before that of the rows.

        DuckDB has lost rows when a log that held a change of the schema was replayed, so the
        log is emptied in between.
        """
        new = {f: r for shard in shards for f, r in shard.recipes.items() if f not in self.recipes}
        if not new:
            return
        with transaction(self.connection):
            for recipe in new.values():
                _add_recipe(self.connection, recipe)
        self.connection.checkpoint()
        self.recipes |= new

    def _insert(self, fresh: "pa.Table", commit: Commit) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        row_ids = np.arange(fresh.num_rows, dtype=np.int64) + self.last_row_id + 1
        rows = fresh.append_column("row_id", pa.array(row_ids))
        tell(
            self.connection,
            "insert_rows",
            rows.drop_columns(["typed"]),
            commit_number=commit.number,
            valid_from=from_utc(commit.at),
        )
        for fingerprint in pc.unique(rows["fingerprint"]).to_pylist():
            recipe = self.recipes[fingerprint]
            if not recipe.is_vector:
                own = rows.filter(pc.equal(rows["fingerprint"], fingerprint))
                table = _typed_table(recipe, own["row_id"].to_pylist(), own["typed"].to_pylist())
                self.connection.from_arrow(table).insert_into(typed_name(recipe))
        self.last_row_id += fresh.num_rows


def _fresh_rows(shards: Sequence[Shard], current: Current) -> "pa.Table | None":
    """Pick the rows that do not count yet, and let them count.

    Shards are applied in their order: of two inputs of one case the later one stays.
    """
    import pyarrow as pa

    tables = []
    for shard in shards:
        picked = []
        for index, key in enumerate(shard.keys):
            if not current.has(key):
                current.apply(key)
                picked.append(index)
        if picked:
            tables.append(shard.table.take(picked).replace_schema_metadata(None))
    return pa.concat_tables(tables) if tables else None


def _add_recipe(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    tell(
        connection,
        "insert_recipe",
        fingerprint=recipe.fingerprint,
        name=recipe.name,
        kind=recipe.kind,
        version=recipe.version,
        canonical=recipe.canonical,
    )
    if recipe.is_vector:
        return
    # Through Arrow, so that no column name is ever part of a statement's text.
    empty = _typed_table(recipe, [], [])
    relation = connection.from_arrow(empty)
    if relation.columns != empty.column_names:
        raise InvalidRecipeError(f"recipe {recipe.name}: DuckDB cannot keep its column names")
    relation.create(typed_name(recipe))


def _typed_table(recipe: Recipe, row_ids: Sequence[int], texts: Sequence[str]) -> "pa.Table":
    """Values of typed columns as a table: `row_id`, then the recipe's columns."""
    import pyarrow as pa

    types = {
        "double": pa.float64(),
        "float": pa.float32(),
        "text": pa.string(),
        "bool": pa.bool_(),
    }
    rows = [json.loads(text) for text in texts]
    arrays = [pa.array(row_ids, type=pa.int64())]
    for index, kind in enumerate(recipe.column_types):
        arrays.append(pa.array([row[index] for row in rows], type=types[kind]))
    return pa.table(arrays, names=["row_id", *recipe.columns])
