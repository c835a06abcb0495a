"""`hnmets models export`: a version as a folder that MLflow and others can read."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, render
from cli.models.version_options import Version

Out = Annotated[Path, typer.Option("--out", "-o", help="New folder.")]


def export(
    out: Out,
    version: Version = "champion",
    study: options.StudyFile = options.DEFAULT_STUDY,
) -> None:
    """Copy the MLflow model of a version: `mlflow models serve -m FOLDER` runs it."""
    from hnmets.workflows import models_export as workflow
    from hnmets.workflows.study import load_study

    written = workflow.run(load_study(study), version, out)
    render.say(f"model: {written}")
