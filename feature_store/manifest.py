"""A generation: which files together are one consistent state of the store."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from feature_store.errors import StoreCorruptError, StoreVersionError
from feature_store.layout import SCHEMA_VERSION
from feature_store.quarantine import Quarantined
from feature_store.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class RecipeFile:
    """The published rows of one recipe.

    Parameters
    ----------
    content
        Hash over the rows, whatever file they are in.
    file
        Name of the Arrow file: the hash of its bytes.
    """

    recipe: Recipe
    content: str
    file: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One published generation.

    Parameters
    ----------
    sequence
        1, 2, … in the order of publishing.
    commit
        Number of the last commit that is in it.
    content_hash
        Hash over all rows, independent of the order of commits.
    """

    sequence: int
    published_at: datetime
    commit: int
    content_hash: str
    recipes: tuple[RecipeFile, ...]
    quarantined: tuple[Quarantined, ...]

    def has_same_content(self, other: "Manifest") -> bool:
        """Tell whether readers would see no difference."""
        return (self.recipes, self.quarantined) == (other.recipes, other.quarantined)

    def to_json(self) -> bytes:
        """Return the bytes of the manifest file."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "sequence": self.sequence,
            "published_at": self.published_at,
            "commit": self.commit,
            "content_hash": self.content_hash,
            "recipes": [_recipe_json(entry) for entry in self.recipes],
            "quarantined": [asdict(entry) for entry in self.quarantined],
        }
        return json.dumps(content, default=datetime.isoformat, sort_keys=True).encode()


def read_manifest(path: Path) -> Manifest:
    """Read a manifest file.

    Raises
    ------
    FileNotFoundError
        If a newer generation has replaced it.
    StoreCorruptError, StoreVersionError
        See there.
    """
    data = path.read_bytes()
    try:
        content = json.loads(data)
        version = content["schema_version"]
        if version <= SCHEMA_VERSION:
            return _manifest(content)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreCorruptError(path, "it is no manifest of this store") from error
    raise StoreVersionError(path, found=version, known=SCHEMA_VERSION)


def _recipe_json(entry: RecipeFile) -> dict[str, object]:
    return {
        "canonical": entry.recipe.canonical,
        "content": entry.content,
        "file": entry.file,
        "rows": entry.rows,
    }


def _manifest(content: Mapping[str, Any]) -> Manifest:  # Any: JSON, checked by being read
    return Manifest(
        sequence=content["sequence"],
        published_at=datetime.fromisoformat(content["published_at"]),
        commit=content["commit"],
        content_hash=content["content_hash"],
        recipes=tuple(
            RecipeFile(
                recipe=Recipe.from_canonical(entry["canonical"]),
                content=entry["content"],
                file=entry["file"],
                rows=entry["rows"],
            )
            for entry in content["recipes"]
        ),
        quarantined=tuple(
            Quarantined(**entry | {"at": datetime.fromisoformat(entry["at"])})
            for entry in content["quarantined"]
        ),
    )
