"""`hnmets models rollback`: the champion before is champion again."""

from typing import Annotated

import typer

from cli import options, render

Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]


def rollback(
    study: options.StudyFile = options.DEFAULT_STUDY,
    reason: Reason = "",
    json: options.Json = False,
) -> None:
    """Give the alias champion back to the version that had it before."""
    from hnmets.workflows import models_rollback as workflow
    from hnmets.workflows.study import load_study

    found = workflow.run(load_study(study), reason=reason)
    if json:
        render.show_json(found.as_json())
        return
    before = f"; version {found.before.number} was" if found.before else ""
    render.say(f"version {found.champion.number} is champion{before}")
