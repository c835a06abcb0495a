"""Shards: self-contained Parquet files of rows, from which everything else can be made.

Worker processes import this module, so it loads pyarrow only when a shard is written.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feature_store.atomic import write_named
from feature_store.errors import (
    InvalidRecipeError,
    InvalidRowError,
    StoreCorruptError,
    StoreVersionError,
)
from feature_store.layout import SCHEMA_VERSION, StoreFiles
from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.row_content import RowContent, content_of

if TYPE_CHECKING:
    import pyarrow as pa

_VERSION_KEY = b"feature_store.schema_version"
_RECIPES_KEY = b"feature_store.recipes"
_TEXT_COLUMNS = ("reasons", "flags", "made_with")


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What one shard file holds.

    Parameters
    ----------
    name
        SHA-256 of the file's bytes.
    recipes
        By fingerprint.
    table
        One row each, with the columns of `shard_schema`.
    """

    name: str
    recipes: Mapping[str, Recipe]
    table: "pa.Table"

    @cached_property
    def keys(self) -> list[tuple[str, str, int, str, str]]:
        """Fingerprint, case, part, input digest and content hash of each row, in file order."""
        names = ("fingerprint", "case_id", "part", "input_digest", "content_hash")
        return list(zip(*(self.table.column(name).to_pylist() for name in names), strict=True))


def write_shard(folder: Path, recipes: Sequence[Recipe], rows: Sequence[Row]) -> Path:
    """Write rows of any recipes into one file below the store's folder.

    All parts of a case under one recipe belong into one shard. The same rows give the same
    bytes, in any order and in any process, hence the same name.

    Raises
    ------
    InvalidRecipeError, InvalidRowError
        If a name or a value cannot be stored.
    StoreFullError
        If the disk has no room; no file is left behind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    used = _used_recipes(recipes, rows)
    contents = [content_of(row, used[row.fingerprint]) for row in rows]
    contents.sort(key=lambda content: content.key)
    _check_units(contents)
    buffer = pa.BufferOutputStream()
    pq.write_table(
        _table(contents, list(used.values())),
        buffer,
        compression="zstd",
        use_dictionary=["case_id", "fingerprint", "input_digest", *_TEXT_COLUMNS],
        # Bytes of equal weight side by side: a fifth smaller for the noise that features are.
        use_byte_stream_split=["doubles.list.element", "floats.list.element"],
        write_statistics=False,
    )
    files = StoreFiles(folder)
    files.shards.mkdir(parents=True, exist_ok=True)
    return write_named(files.shards, memoryview(buffer.getvalue()), ".parquet")


def read_shard(path: Path) -> Shard:
    """Read a shard and make sure that it is what was written.

    Raises
    ------
    StoreCorruptError
        If the bytes do not have the hash that the name promises.
    StoreVersionError
        If a newer version of this code wrote it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != path.stem:
        raise StoreCorruptError(path, "its content does not have the hash in its name")
    try:
        table = pq.read_table(pa.BufferReader(data))
        metadata = table.schema.metadata
        version, recipes = int(metadata[_VERSION_KEY]), json.loads(metadata[_RECIPES_KEY])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        # OSError is what pyarrow raises for a file that is no Parquet file.
        raise StoreCorruptError(path, "it is no shard of this store") from error
    if version > SCHEMA_VERSION:
        raise StoreVersionError(path, found=version, known=SCHEMA_VERSION)
    return Shard(name=path.stem, recipes=_checked(recipes, path), table=table)


def shard_schema() -> "pa.Schema":
    """Columns of a shard: keys, values in one of three forms, and what is known of them."""
    import pyarrow as pa

    return pa.schema(
        [
            ("case_id", pa.string()),
            ("part", pa.int32()),
            ("fingerprint", pa.string()),
            ("input_digest", pa.string()),
            ("content_hash", pa.string()),
            ("doubles", pa.list_(pa.float64())),
            ("floats", pa.list_(pa.float32())),
            ("typed", pa.string()),
            *((name, pa.string()) for name in _TEXT_COLUMNS),
        ]
    )


def _checked(canonicals: Iterable[str], path: Path) -> dict[str, Recipe]:
    try:
        recipes = [_recipe(text) for text in canonicals]
    except InvalidRecipeError as error:
        raise StoreCorruptError(path, str(error)) from error
    return {recipe.fingerprint: recipe for recipe in recipes}


@lru_cache(maxsize=256)  # a build reads the same few recipes from each of its shards
def _recipe(canonical: str) -> Recipe:
    recipe = Recipe.from_canonical(canonical)
    recipe.check()
    return recipe


def _used_recipes(recipes: Iterable[Recipe], rows: Sequence[Row]) -> dict[str, Recipe]:
    given = {recipe.fingerprint: recipe for recipe in recipes}
    wanted = sorted({row.fingerprint for row in rows})
    if not wanted:
        raise InvalidRowError("a shard needs at least one row")
    if foreign := [fingerprint for fingerprint in wanted if fingerprint not in given]:
        raise InvalidRowError(f"rows refer to a recipe that was not given: {foreign[0][:8]}")
    used = {fingerprint: given[fingerprint] for fingerprint in wanted}
    for recipe in used.values():
        recipe.check()
    return used


def _check_units(contents: Sequence[RowContent]) -> None:
    """Refuse rows that contradict each other; they are sorted by key."""
    for before, after in pairwise(contents):
        if before.key == after.key:
            raise InvalidRowError(f"case {after.case_id}: part {after.part} is there twice")
        if before.key[:2] == after.key[:2] and before.input_digest != after.input_digest:
            raise InvalidRowError(f"case {after.case_id}: its parts come from different inputs")


def _table(contents: Sequence[RowContent], recipes: Sequence[Recipe]) -> "pa.Table":
    import pyarrow as pa

    columns: dict[str, object] = {
        name: [getattr(content, name) for content in contents]
        for name in ("case_id", "part", "fingerprint", "input_digest", "content_hash", "typed")
    }
    columns |= {name: [getattr(content, name) for content in contents] for name in _TEXT_COLUMNS}
    columns["doubles"] = _lists(contents, np.dtype(np.float64))
    columns["floats"] = _lists(contents, np.dtype(np.float32))
    metadata = {
        _VERSION_KEY: str(SCHEMA_VERSION).encode(),
        _RECIPES_KEY: json.dumps([recipe.canonical for recipe in recipes]).encode(),
    }
    schema = shard_schema()
    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    return pa.table(arrays, schema=schema.with_metadata(metadata))


def _lists(contents: Sequence[RowContent], precision: "np.dtype[np.floating]") -> object:
    """Vectors of one precision as an Arrow list column; NaN inside becomes NULL."""
    import pyarrow as pa

    vectors = [
        content.vector
        if content.vector is not None and content.vector.dtype == precision
        else None
        for content in contents
    ]
    lengths = [0 if vector is None else len(vector) for vector in vectors]
    flat = np.concatenate([np.empty(0, precision), *(v for v in vectors if v is not None)])
    return pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], np.cumsum(lengths)]), type=pa.int32()),
        pa.array(flat, from_pandas=True),
        mask=pa.array([vector is None for vector in vectors]),
    )
