"""`hnmets init`: a study file to start from."""

from pathlib import Path
from typing import Annotated

import typer

from cli import render

Folder = Annotated[Path, typer.Argument(help="Folder of the new study.")]


def init(folder: Folder = Path()) -> None:
    """Write a commented study file; nothing that exists is overwritten."""
    from hnmets.workflows.init import run

    written = run(folder)
    render.say(f"wrote {written}")
    render.hint(f"next: fill it in, then run `hnmets cohort check --study {written}`")
