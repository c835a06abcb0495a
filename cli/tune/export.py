"""`hnmets tune export`: a search for a machine without the store."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, render
from cli.tune import options as own

Folder = Annotated[Path, typer.Argument(help="Folder to write; it must not be there yet.")]


def export(
    folder: Folder,
    study: options.StudyFile = options.DEFAULT_STUDY,
    target: own.Target = "head",
    trials: own.Trials = None,
    quiet: options.Quiet = False,
) -> None:
    """Write a search as a folder that any machine with hnmets, torch and optuna can work on.

    It holds numbers alone, no name of a patient. Copy it back over the search's own folder.
    """
    from hnmets.workflows import tune_export as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"tuning.trials": trials})
    with render.progress_bar(quiet=quiet) as advance:
        found = workflow.run(settings, folder, target=target, on_part=advance)
    render.say(f"there: python -m hnmets.tuning {folder} --device cuda")
    render.say(
        f"back here: copy it to {found}, then hnmets tune finish --target {target} --study {study}"
    )
