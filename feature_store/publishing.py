"""Publish what the database holds, so that readers never open it."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from feature_store.atomic import sweep, write_atomic, write_named
from feature_store.errors import StoreCorruptError
from feature_store.layout import StoreFiles
from feature_store.manifest import Manifest, RecipeFile, read_manifest
from feature_store.pointer import read_pointer
from feature_store.recipe import Recipe
from feature_store.recipe_table import RecipeTable

_KEPT_GENERATIONS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Writes generations into a store's folder.

    Parameters
    ----------
    load
        Returns the current rows of a recipe; asked only for recipes that have changed.
    """

    files: StoreFiles
    load: Callable[[Recipe], RecipeTable]

    def recipe_files(
        self, recipes: Iterable[Recipe], content: Mapping[str, str]
    ) -> tuple[RecipeFile, ...]:
        """Write the recipes whose rows differ from those of the newest generation."""
        self.files.snapshots.mkdir(exist_ok=True)
        newest = newest_manifest(self.files)
        published = {entry.content: entry for entry in newest.recipes} if newest else {}
        return tuple(
            published[digest]
            if digest in published and (self.files.snapshots / published[digest].file).exists()
            else self._write(recipe, digest)
            for recipe in recipes
            if (digest := content.get(recipe.fingerprint))
        )

    def flip(self, manifest: Manifest) -> Path:
        """Make a generation the one that readers see, unless it shows nothing new."""
        newest = newest_manifest(self.files)
        if newest is not None and manifest.has_same_content(newest):
            return read_pointer(self.files)
        path = write_named(self.files.snapshots, manifest.to_json(), ".json")
        write_atomic(self.files.pointer, path.name.encode())
        self._prune()
        return path

    def _write(self, recipe: Recipe, content: str) -> RecipeFile:
        import pyarrow as pa

        table = self.load(recipe).table
        buffer = pa.BufferOutputStream()
        # One chunk, uncompressed: a reader maps the values and copies none.
        with pa.ipc.new_file(buffer, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        path = write_named(self.files.snapshots, memoryview(buffer.getvalue()), ".arrow")
        return RecipeFile(recipe=recipe, content=content, file=path.name, rows=table.num_rows)

    def _prune(self) -> None:
        """Remove what only generations older than the last three refer to."""
        found = _generations(self.files)
        ordered = sorted((m for m in found.values() if m), key=lambda m: m.sequence)
        kept = ordered[-_KEPT_GENERATIONS:]
        wanted = {entry.file for manifest in kept for entry in manifest.recipes}
        for path, manifest in found.items():
            if manifest not in kept:
                path.unlink(missing_ok=True)
        for path in self.files.snapshots.glob("*.arrow"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
        sweep(self.files.snapshots)


def newest_manifest(files: StoreFiles) -> Manifest | None:
    """Return the generation that readers see, or None if there is none to be read."""
    try:
        return _readable(read_pointer(files))
    except FileNotFoundError:
        return None
    except StoreCorruptError as error:
        _log.warning("%s; the next generation replaces it", error)
        return None


def last_manifest(files: StoreFiles) -> Manifest | None:
    """Return the last generation that was published, even where the pointer to it is lost."""
    there = [manifest for manifest in _generations(files).values() if manifest]
    return max(there, key=lambda manifest: manifest.sequence, default=None)


def last_sequence(files: StoreFiles) -> int:
    """Return the highest number of a generation that is still there, or 0."""
    last = last_manifest(files)
    return last.sequence if last else 0


def _generations(files: StoreFiles) -> dict[Path, Manifest | None]:
    return {path: _readable(path) for path in files.snapshots.glob("*.json")}


def _readable(path: Path) -> Manifest | None:
    """Read a manifest; one that is damaged or gone is replaced by the next, so it is none."""
    try:
        return read_manifest(path)
    except (FileNotFoundError, StoreCorruptError) as error:
        _log.warning("manifest %s cannot be read: %s", path.name, error)
        return None
