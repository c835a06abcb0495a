"""Networks trained fold by fold: in which repeats of a split there is one for every fold."""

from collections.abc import Collection, Iterable

from feature_store.recipe import Recipe
from hnmets.datasets.provenance import fold_of
from hnmets.datasets.split import Split


def networks_by_name(recipes: Iterable[Recipe], split: Split) -> dict[str, dict[str, Recipe]]:
    """Return the networks that were trained on a split: by name, then by fold."""
    found: dict[str, dict[str, Recipe]] = {}
    for recipe in recipes:
        fold = fold_of(recipe, split.hash)
        if fold is not None:
            found.setdefault(recipe.name, {})[fold] = recipe
    return found


def complete_repeats(networks: Collection[str], split: Split) -> frozenset[int]:
    """Return the repeats in which every fold that can teach has a network.

    Parameters
    ----------
    networks
        Names of the folds that have one.
    """
    lacking = {
        fold.repeat
        for fold in split.folds
        if fold.name not in networks and not split.why_untrainable(fold)
    }
    return frozenset(fold.repeat for fold in split.folds) - lacking


def shared_folds(
    by_name: dict[str, dict[str, Recipe]], asked: Collection[str], split: Split
) -> dict[str, list[Recipe]]:
    """Return, by fold, one recipe for each network that is asked for.

    Of the repeats in which all of them are complete: what is compared is compared in the same
    folds.
    """
    wanted = [by_name[name] for name in by_name if name in asked]
    if not wanted:
        return {}
    repeats = frozenset.intersection(*(complete_repeats(of, split) for of in wanted))
    names = [fold.name for fold in split.folds if fold.repeat in repeats]
    return {n: [of[n] for of in wanted] for n in names if all(n in of for of in wanted)}
