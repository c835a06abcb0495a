"""How the recipes of controls and perturbations are told from those of the study."""

from dataclasses import replace
from typing import TYPE_CHECKING

from feature_store.recipe import Recipe

if TYPE_CHECKING:
    # A quarter of a second of imports, which reading a study file shall not pay.
    from hnmets.imaging.alteration import Alteration

# No name of a region, a variant or an imported recipe can hold it.
_MARK = "~"


def altered(recipe: Recipe, alteration: "Alteration | None") -> Recipe:
    """Return the recipe of an altered case; another name and identity, so that both never mix."""
    if alteration is None:
        return recipe
    return replace(
        recipe,
        name=recipe.name + suffix_of(alteration),
        parameters={**recipe.parameters, "alteration": alteration.identity},
    )


def suffix_of(alteration: "Alteration | None") -> str:
    """Return what is added to the names of recipes; nothing without an alteration."""
    return f"{_MARK}{alteration.name}" if alteration else ""


def is_altered(recipe: Recipe) -> bool:
    """Tell whether a recipe measures a control or a perturbation."""
    return bool(alteration_name(recipe))


def alteration_name(recipe: Recipe) -> str:
    """Return the name of the control or perturbation that a recipe measures; mostly empty.

    Examples
    --------
    >>> alteration_name(Recipe(name="size.tumour~grow-1mm", kind="size", columns=("v",)))
    'grow-1mm'
    """
    return recipe.name.partition(_MARK)[2]
