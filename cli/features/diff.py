"""`hnmets features diff`: what tells two recipes apart."""

from dataclasses import asdict
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from feature_store.diff import RecipeDiff

First = Annotated[str, typer.Argument(help="Label of a recipe, such as radiomics.ring@1f2e3d4c.")]
Second = Annotated[str, typer.Argument(help="Label of another recipe.")]


def diff(
    first: First,
    second: Second,
    study: options.StudyFile = options.DEFAULT_STUDY,
    json: options.Json = False,
) -> None:
    """Compare two recipes: settings, libraries, and values of common cases."""
    from feature_store.diff import diff as compare
    from feature_store.snapshot import read_snapshot
    from hnmets.workflows.study import load_study

    found = compare(first, second, read_snapshot(load_study(study).store_folder))
    if json:
        render.show_json(as_json(found))
        return
    settings = [(change.setting, dumps(change.a), dumps(change.b)) for change in found.settings]
    render.show_table("settings that differ", ("setting", first, second), settings)
    values = [
        (c.column, c.max_absolute, c.max_relative, c.n_absent_in_one) for c in found.columns[:20]
    ]
    columns = ("feature", "largest difference", "relative", "absent in one")
    render.show_table(f"values of {found.n_common_cases} common cases", columns, values)


def as_json(found: "RecipeDiff") -> dict[str, object]:
    """Return the comparison as a JSON object."""
    return {
        "first": found.a.label,
        "second": found.b.label,
        "settings": [asdict(change) for change in found.settings],
        "only_in_first": list(found.only_in_a),
        "only_in_second": list(found.only_in_b),
        "common_cases": found.n_common_cases,
        "columns": [asdict(column) for column in found.columns],
    }
