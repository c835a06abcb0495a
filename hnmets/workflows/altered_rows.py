"""Controls and perturbations that the store holds, and a dataset as they show it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot
from hnmets.datasets.dataset import Dataset
from hnmets.domain.errors import UsageError
from hnmets.extractors.altered import alteration_name, suffix_of
from hnmets.imaging.alteration import Alteration
from hnmets.imaging.controls import CONTROLS
from hnmets.workflows.alteration import alteration_of
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import workbench_of


@dataclass(frozen=True, kw_only=True)
class Altered:
    """What the store holds of one control or perturbation.

    Parameters
    ----------
    recipes
        Altered recipes by the name of the study's own.
    """

    alteration: Alteration
    recipes: Mapping[str, Recipe]
    snapshot: Snapshot

    @property
    def name(self) -> str:
        """What people call it: `shuffled-roi`."""
        return self.alteration.name

    def shown(self, dataset: Dataset, names: Collection[str]) -> Dataset:
        """Return a dataset with the altered values in place of the real ones.

        Cases that lack one of the altered recipes are left out.

        Parameters
        ----------
        names
            Recipes to replace.
        """
        replaced = [self.recipes[name] for name in names]
        matrix = self.snapshot.matrix([recipe.fingerprint for recipe in replaced])
        row_of = {case: row for row, case in enumerate(matrix.case_ids)}
        shown = dataset.among(row_of, reason=f"lacks the altered recipes of {self.name}")
        values = shown.rows.values.copy()
        column_of = {column: place for place, column in enumerate(shown.rows.columns)}
        columns = [column_of[f"{name}.{c}"] for name in names for c in self.recipes[name].columns]
        values[:, columns] = matrix.values[[row_of[case] for case in shown.rows.case_ids]]
        return replace(shown, rows=replace(shown.rows, values=values))


def altered_in_view(study: Study, snapshot: Snapshot) -> tuple[Altered, ...]:
    """Return the controls and perturbations of the study's present recipes, by name.

    What was altered under other settings, or by another version, is not among them: it could
    not be held against what the study measures today.

    Parameters
    ----------
    snapshot
        Of the study's own cases.
    """
    names = {alteration_name(recipe) for recipe in snapshot.recipes} - {""}
    found = (_present(study, snapshot, name) for name in sorted(names))
    return tuple(altered for altered in found if altered and altered.recipes)


def _present(study: Study, snapshot: Snapshot, name: str) -> Altered | None:
    alteration = _known(study, name)
    if alteration is None:
        return None
    stored = {recipe.fingerprint for recipe in snapshot.recipes}
    suffix = suffix_of(alteration)
    return Altered(
        alteration=alteration,
        recipes={
            recipe.name.removesuffix(suffix): recipe
            for recipe in workbench_of(study, alteration=alteration).recipes
            if recipe.fingerprint in stored
        },
        snapshot=snapshot,
    )


def _known(study: Study, name: str) -> Alteration | None:
    try:
        if name in CONTROLS:
            return alteration_of(study, control=name)
        return alteration_of(study, perturb=name)
    except UsageError:
        # A later version's, or a control of a region that the study no longer draws.
        return None
