"""Features as one flat table for other programs."""

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from functools import reduce
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from feature_store.atomic import write_atomic
from feature_store.errors import MixedRecipesError, NothingToExportError
from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot

if TYPE_CHECKING:
    import polars as pl

Format = Literal["parquet", "arrow", "csv"]


def export(
    snapshot: Snapshot,
    labels: Sequence[str],
    out: Path,
    format: Format,  # noqa: A002  # the word on the command line
    *,
    told: Callable[[Recipe], str] = attrgetter("name"),
) -> Path:
    """Write recipes side by side into one file, named by its content.

    Columns are `case_id` and `recipe.column`; a single recipe with several rows per case keeps
    its column `part`. Cases that lack a recipe have empty cells. Parquet and Arrow carry the
    recipes, settings and versions included, in their schema's metadata.

    Parameters
    ----------
    labels
        Names, labels or fingerprints; the columns follow their order.
    out
        Folder; created if need be.
    told
        What the columns of a recipe begin with; recipes that shall stand together differ in it.

    Returns
    -------
    Path
        `<names>-<first 12 digits of the content's SHA-256>.<format>`.

    Raises
    ------
    NothingToExportError
        If there is no recipe with rows.
    UnknownRecipeError, AmbiguousRecipeError, MixedRecipesError, SeveralPartsError
        See `Snapshot.matrix`.
    """
    recipes = [snapshot.find(label) for label in labels]
    if not recipes:
        raise NothingToExportError
    data = _encoded(_joined(snapshot, recipes, told), recipes, format)
    owners = dict.fromkeys(recipe.name for recipe in recipes)
    names = re.sub(r"[^\w.+-]", "_", "+".join(owners))[:80]
    out.mkdir(parents=True, exist_ok=True)
    name = f"{names}-{hashlib.sha256(data).hexdigest()[:12]}.{format}"
    return write_atomic(out / name, data)


def _joined(
    snapshot: Snapshot, recipes: Sequence[Recipe], told: Callable[[Recipe], str]
) -> "pl.DataFrame":
    names = [told(recipe) for recipe in recipes]
    if len(set(names)) < len(names):
        raise MixedRecipesError([r.label for r in recipes if names.count(told(r)) > 1])
    if len(recipes) == 1 and any(snapshot.tables[recipes[0].fingerprint].parts):
        return _named(snapshot, recipes[0], names[0])
    for recipe in recipes:
        snapshot.tables[recipe.fingerprint].check_one_row_per_case()
    frames = [
        _named(snapshot, recipe, name).drop("part")
        for recipe, name in zip(recipes, names, strict=True)
    ]
    joined = reduce(lambda a, b: a.join(b, on="case_id", how="full", coalesce=True), frames)
    return joined.sort("case_id")


def _named(snapshot: Snapshot, recipe: Recipe, name: str) -> "pl.DataFrame":
    frame = snapshot.frame(recipe.fingerprint)
    return frame.rename({column: f"{name}.{column}" for column in recipe.columns})


def _encoded(frame: "pl.DataFrame", recipes: Sequence[Recipe], form: Format) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    about = {f"recipe.{recipe.label}": recipe.canonical for recipe in recipes}
    if form == "csv":
        frame.write_csv(buffer)
    elif form == "parquet":
        table = frame.to_arrow().replace_schema_metadata(about)
        pq.write_table(table, buffer, compression="zstd")
    else:
        table = frame.to_arrow().replace_schema_metadata(about)
        with pa.ipc.new_file(buffer, table.schema) as writer:
            writer.write_table(table)
    return buffer.getvalue()
