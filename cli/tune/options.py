"""Options of every command about searches."""

from typing import Annotated

import typer

Trials = Annotated[
    int | None,
    typer.Option(
        "--trials", min=1, help="Of each outer fold, and over everybody. [study: tuning.trials]"
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes. [study: tuning.workers]")
]
Target = Annotated[str, typer.Option("--target", help="What is searched for: head or backbone.")]
