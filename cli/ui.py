"""`hnmets ui`: the runs of a study in the browser."""

from typing import Annotated

import typer

from cli import options, render

Port = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Port to listen on.")]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the pages in the browser.")]


def ui(
    study: options.StudyFile = options.DEFAULT_STUDY, port: Port = 5000, browser: Open = True
) -> None:
    """Show the runs of the study in MLflow, to this machine alone, until Ctrl-C."""
    from hnmets.workflows import ui as workflow

    def show(shown: workflow.Shown) -> None:
        if shown.replayed.sent or shown.replayed.left:
            render.hint(
                f"{shown.replayed.sent} waiting events sent, {shown.replayed.left} still wait "
                f"{shown.replayed.reason}"
            )
        render.say(f"{shown.address}  (Ctrl-C ends it)" if shown.served else shown.address)
        if shown.way:
            render.hint(shown.way)
        if browser:
            typer.launch(shown.address)

    workflow.run(study, port=port, on_ready=show)
