"""`hnmets features list`: the recipes in the store."""

from json import loads
from typing import Annotated

import typer

from cli import options, render

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
    from hnmets.workflows.study import load_study

    snapshot = read_snapshot(load_study(study).store_folder)
    recipes = [snapshot.find(columns)] if columns else list(snapshot.recipes)
    if json:
        render.show_json([loads(recipe.canonical) for recipe in recipes])
    elif columns:
        render.show_table(recipes[0].label, ("feature",), [(name,) for name in recipes[0].columns])
    else:
        rows = [(r.label, r.kind, len(r.columns), r.version) for r in recipes]
        render.show_table("recipes", ("recipe", "kind", "features", "version"), rows)
