"""`hnmets report`: the newest ablation as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, render

Run = Annotated[
    str | None, typer.Argument(help="Key of the run, or its beginning; the newest by default.")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")]
Cases = Annotated[
    bool,
    typer.Option(
        help="Name cases: worst misses, explained risks, suspicious cases. Without them the "
        "report may leave the site."
    ),
]


def report(
    run: Run = None,
    study: options.StudyFile = options.DEFAULT_STUDY,
    out: Out = Path("report.html"),
    cases: Cases = True,
) -> None:
    """Write cohort, ladder, curves, choices and origin of a run into one file for a browser."""
    from hnmets.workflows import report as workflow
    from hnmets.workflows.study import load_study

    written = workflow.run(load_study(study), out, asked=run, cases=cases)
    render.say(f"report: {written}")
