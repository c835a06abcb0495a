"""`hnmets features export`: a table for other programs."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli import options, render


class Format(StrEnum):
    """File formats of an export."""

    PARQUET = "parquet"
    ARROW = "arrow"
    CSV = "csv"


Recipes = Annotated[
    str | None,
    typer.Option("--recipes", help="Names or labels, separated by commas; all by default."),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", help="The store as it was then, UTC; refused while a build runs."),
]
As = Annotated[Format, typer.Option("--format", help="File format.")]


def export(
    study: options.StudyFile = options.DEFAULT_STUDY,
    recipes: Recipes = None,
    out: Out = Path("export"),
    form: As = Format.PARQUET,
    as_of: AsOf = None,
    json: options.Json = False,
) -> None:
    """Write one row per case, one column per feature, into a file named by its content."""
    from hnmets.workflows import features_export as workflow
    from hnmets.workflows.study import load_study

    labels, moment = options.split(recipes), as_of and as_of.replace(tzinfo=UTC)
    file = workflow.run(load_study(study), labels, out, form.value, as_of=moment)
    if json:
        render.show_json({"file": str(file)})
    else:
        render.say(str(file))
