"""`hnmets study show`: the settings in force."""

from typing import Annotated

import typer

from cli import options, render

Origin = Annotated[
    bool,
    typer.Option("--origin", help="Say where each value comes from: flag, env, file, default."),
]


def show(
    study: options.StudyFile = options.DEFAULT_STUDY,
    origin: Origin = False,
    json: options.Json = False,
) -> None:
    """Print every setting in force."""
    from hnmets.workflows.study import load_study

    settings = load_study(study).settings()
    if json:
        render.show_json([setting.as_json() for setting in settings])
        return
    columns = ("setting", "value", "origin") if origin else ("setting", "value")
    rows = [(s.name, s.text, s.origin)[: len(columns)] for s in settings]
    render.show_table(f"study {study}", columns, rows)
