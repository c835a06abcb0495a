"""`hnmets features sheet`: one picture per case."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, render

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the pages (PNG).")]


def sheet(
    study: options.StudyFile = options.DEFAULT_STUDY,
    out: Out = Path("sheet"),
    cases: options.Cases = None,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw CT and outlined regions of every case, cut to the regions."""
    from hnmets.workflows import features_sheet as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"build.jobs": jobs})
    with render.progress_bar(quiet=quiet) as advance:
        drawn = workflow.run(settings, out, cases=options.split(cases), on_case=advance)
    render.show_failures(drawn.failures)
    for page in drawn.pages:
        render.say(str(page))
    raise typer.Exit(drawn.exit_code)
