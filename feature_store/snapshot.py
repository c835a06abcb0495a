"""What readers see: one published generation, mapped into memory, never the live file."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from feature_store.current import Current, combined_hash
from feature_store.errors import (
    AmbiguousRecipeError,
    NothingPublishedError,
    StoreCorruptError,
    UnknownRecipeError,
)
from feature_store.layout import StoreFiles
from feature_store.manifest import Manifest, RecipeFile, read_manifest
from feature_store.matrix import FeatureMatrix, assemble
from feature_store.pointer import read_pointer
from feature_store.quarantine import Quarantined
from feature_store.recipe import Recipe
from feature_store.recipe_table import RecipeTable
from feature_store.row import Row

if TYPE_CHECKING:
    import polars as pl

_ATTEMPTS = 20
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How far a recipe is.

    Parameters
    ----------
    missing
        Cases that another recipe has and this one has not.
    """

    recipe: Recipe
    n_cases: int
    n_rows: int
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A consistent state of the store; it stays readable while newer ones are published."""

    tables: Mapping[str, RecipeTable]
    quarantined: tuple[Quarantined, ...] = ()

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What the snapshot has rows of, by name."""
        return tuple(table.recipe for table in self.tables.values())

    @cached_property
    def case_ids(self) -> tuple[str, ...]:
        """All cases with at least one row, sorted."""
        return tuple(sorted({case for table in self.tables.values() for case in table.case_ids}))

    @property
    def content_hash(self) -> str:
        """Hash over all rows, independent of the order and the time of their commits."""
        keys = (key for table in self.tables.values() for key in table.keys)
        return combined_hash(Current.of(keys).content_by_recipe())

    def find(self, asked: str) -> Recipe:
        """Return the recipe of a name, a label (`name@e6562cf5`) or a fingerprint.

        Raises
        ------
        UnknownRecipeError
            If there is none.
        AmbiguousRecipeError
            If a name or the start of a fingerprint fits several.
        """
        found = [recipe for recipe in self.recipes if _answers_to(recipe, asked)]
        if not found:
            raise UnknownRecipeError(asked, [recipe.label for recipe in self.recipes])
        if len(found) > 1:
            raise AmbiguousRecipeError(asked, [recipe.label for recipe in found])
        return found[0]

    def matrix(self, labels: Sequence[str], *, complete: bool = True) -> FeatureMatrix:
        """Join recipes into one design matrix of the cases that have them all; name the others.

        Parameters
        ----------
        labels
            Names, labels or fingerprints; the columns follow their order.
        complete
            False keeps incomplete cases, with NaN for what they lack.

        Raises
        ------
        UnknownRecipeError, AmbiguousRecipeError
            See `find`.
        MixedRecipesError
            If two recipes of one name are asked for.
        SeveralPartsError
            If a recipe has several rows of a case.
        """
        return assemble([self._table(label) for label in labels], complete=complete)

    def among(self, case_ids: Collection[str], recipes: Collection[str] | None = None) -> Self:
        """Return the snapshot of some cases and, by fingerprint, some recipes alone."""
        wanted = self.tables if recipes is None else recipes
        tables = {f: t.among(case_ids) for f, t in self.tables.items() if f in wanted}
        return replace(self, tables={f: t for f, t in tables.items() if t.case_ids})

    def without(self, cases_by_label: Mapping[str, Collection[str]]) -> Self:
        """Return the snapshot without the rows that some cases have of some recipes."""
        tables = {
            f: t.among(set(t.case_ids) - set(cases_by_label[t.recipe.label]))
            if t.recipe.label in cases_by_label
            else t
            for f, t in self.tables.items()
        }
        return replace(self, tables={f: t for f, t in tables.items() if t.case_ids})

    def frame(self, label: str) -> "pl.DataFrame":
        """Rows of one recipe in the wide form: case_id, part, one typed column per feature."""
        return self._table(label).frame()

    def case(self, case_id: str) -> list[Row]:
        """All rows of a case, in the order of the recipes; none if it is unknown."""
        return [row for table in self.tables.values() for row in table.rows(case_id)]

    def coverage(self) -> tuple[Coverage, ...]:
        """Tell, for each recipe, which cases have it and which do not."""
        everyone = set(self.case_ids)
        return tuple(
            Coverage(
                recipe=table.recipe,
                n_cases=len(set(table.case_ids)),
                n_rows=len(table.case_ids),
                missing=tuple(sorted(everyone - set(table.case_ids))),
            )
            for table in self.tables.values()
        )

    def _table(self, asked: str) -> RecipeTable:
        return self.tables[self.find(asked).fingerprint]


def read_snapshot(folder: Path) -> Snapshot:
    """Open the newest published generation of a store; builds may run meanwhile.

    Raises
    ------
    NothingPublishedError
        If no build has published anything yet.
    StoreCorruptError, StoreVersionError
        See there.
    """
    files = StoreFiles(folder)
    for attempt in range(_ATTEMPTS):
        try:
            return _open(files, current_manifest(files))
        except FileNotFoundError as error:
            # A writer has published three generations since the pointer was read.
            missing = Path(error.filename or files.pointer)
            time.sleep(_PAUSE_SECONDS * (attempt > 0))
    raise StoreCorruptError(missing, "the published generation refers to it, but it is gone")


def current_manifest(files: StoreFiles) -> Manifest:
    """Read the manifest that the pointer names.

    Raises
    ------
    NothingPublishedError
        If there is no pointer.
    FileNotFoundError
        If the manifest was replaced since.
    StoreCorruptError
        If the pointer or the manifest is damaged.
    """
    try:
        manifest = read_pointer(files)
    except FileNotFoundError:
        raise NothingPublishedError(files.folder) from None
    return read_manifest(manifest)


def _open(files: StoreFiles, manifest: Manifest) -> Snapshot:
    tables = {entry.recipe.fingerprint: _mapped(files, entry) for entry in manifest.recipes}
    return Snapshot(tables=tables, quarantined=manifest.quarantined)


def _mapped(files: StoreFiles, entry: RecipeFile) -> RecipeTable:
    import pyarrow as pa

    path = files.snapshots / entry.file
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid as error:
        raise StoreCorruptError(path, str(error)) from error
    except FileNotFoundError as error:
        error.filename = str(path)
        raise
    return RecipeTable(recipe=entry.recipe, table=table)


def _answers_to(recipe: Recipe, asked: str) -> bool:
    if asked in (recipe.name, recipe.label, recipe.fingerprint):
        return True
    name, at, start = asked.rpartition("@")
    return bool(at and start) and name == recipe.name and recipe.fingerprint.startswith(start)
