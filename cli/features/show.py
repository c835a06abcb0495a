"""`hnmets features show CASE`: everything the store knows of one case."""

from typing import Annotated

import typer

from cli import options, render

CaseId = Annotated[str, typer.Argument(help="Case id.")]
Most = Annotated[int, typer.Option("--most", min=1, help="Features to print of each recipe.")]


def show(
    case: CaseId,
    study: options.StudyFile = options.DEFAULT_STUDY,
    most: Most = 8,
    json: options.Json = False,
) -> None:
    """Show a case: values, what is absent and why, quality flags."""
    from hnmets.workflows import features_show as workflow
    from hnmets.workflows.study import load_study

    shown = workflow.run(load_study(study), case)
    if json:
        render.show_json([part.as_json() for part in shown.parts])
        return
    for part in shown.parts:
        render.show_facts(part.title, dict(part.values[:most]))
        if (more := len(part.values) - most) > 0:
            render.say(f"  … and {more} more (--most)")
        for note in part.notes:
            render.say(f"  {note}")
    for problem in shown.problems:
        render.say(problem)
