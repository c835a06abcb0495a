"""`hnmets features list`: the recipes in the store."""

from json import loads
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.recipe import Recipe

Columns = Annotated[
    str | None, typer.Option("--columns", help="List the feature names of this recipe.")
]


def listing(
    study: options.StudyFile = options.DEFAULT_STUDY,
    columns: Columns = None,
    json: options.Json = False,
) -> None:
    """List recipes, or the feature names of one."""
    from feature_store.snapshot import read_snapshot
    from hnmets.extractors.altered import is_altered
    from hnmets.workflows.study import load_study

    snapshot = read_snapshot(load_study(study).store_folder)
    recipes = [snapshot.find(columns)] if columns else list(snapshot.recipes)
    if json:
        render.show_json([loads(recipe.canonical) for recipe in recipes])
    elif columns:
        render.show_table(recipes[0].label, ("feature",), [(name,) for name in recipes[0].columns])
    else:
        show_recipes("recipes", [r for r in recipes if not is_altered(r)])
        if changed := [r for r in recipes if is_altered(r)]:
            show_recipes("controls and perturbations", changed)


def show_recipes(title: str, recipes: "Sequence[Recipe]") -> None:
    """Print recipes, one a line."""
    rows = [(r.label, r.kind, len(r.columns), r.version) for r in recipes]
    render.show_table(title, ("recipe", "kind", "features", "version"), rows)
