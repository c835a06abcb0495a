"""Recipes and rows for the tests of the feature store."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from feature_store.recipe import Recipe
from feature_store.row import Row
from feature_store.shard import write_shard
from feature_store.store import FeatureStore

TEXTURE = Recipe(name="texture", kind="radiomics", columns=("mean", "spread", "entropy"))
EMBEDDING = Recipe(name="embedding", kind="embedding", columns=("e0", "e1"), types="float")
CLINICAL = Recipe(
    name="clinical",
    kind="clinical",
    columns=("age", "sex", "p16"),
    types=("double", "text", "bool"),
)
RECIPES = (TEXTURE, EMBEDDING, CLINICAL)


def texture(
    case_id: str, *values: float, digest: str = "a", part: int = 0, recipe: Recipe = TEXTURE
) -> Row:
    """One row of the texture recipe."""
    return Row(
        case_id=case_id,
        fingerprint=recipe.fingerprint,
        input_digest=digest,
        values=np.array(values or (1.0, 2.0, 3.0)),
        part=part,
    )


def embedding(case_id: str, *values: float, digest: str = "a") -> Row:
    """One row of the embedding recipe."""
    return Row(
        case_id=case_id,
        fingerprint=EMBEDDING.fingerprint,
        input_digest=digest,
        values=np.array(values or (0.5, 0.25), dtype=np.float32),
    )


def clinical(
    case_id: str, age: float | None, sex: str | None, p16: bool | None, *, digest: str = "a"
) -> Row:
    """One row of the clinical recipe."""
    return Row(
        case_id=case_id,
        fingerprint=CLINICAL.fingerprint,
        input_digest=digest,
        values=(age, sex, p16),
    )


def fill(folder: Path, rows: Iterable[Row], recipes: Iterable[Recipe] = RECIPES) -> str:
    """Commit rows as one shard, publish, and return the store's content hash."""
    shard = write_shard(folder, tuple(recipes), tuple(rows))
    with FeatureStore.open(folder) as store:
        store.commit([shard])
        store.publish()
        return store.content_hash()
