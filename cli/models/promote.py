"""`hnmets models promote`: a version becomes champion through the gates."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render
from cli.models.version_options import Version

if TYPE_CHECKING:
    from hnmets.workflows.models_promote import Promotion

Reason = Annotated[
    str, typer.Option("--reason", help="Override gates that do not hold, and say why; recorded.")
]
COLUMNS = ("gate", "holds", "met", "wanted")


def promote(
    version: Version,
    study: options.StudyFile = options.DEFAULT_STUDY,
    reason: Reason = "",
    json: options.Json = False,
) -> None:
    """Make a version champion if every gate of the study file holds; else exit with 6."""
    from hnmets.workflows import models_promote as workflow
    from hnmets.workflows.study import load_study

    found = workflow.run(load_study(study), version, reason=reason)
    if json:
        render.show_json(found.as_json())
    else:
        show_promotion(found)
    raise typer.Exit(found.exit_code)


def show_promotion(found: "Promotion") -> None:
    """Print the gates, and what became of the version."""
    rows = [
        (gate.name, "yes" if gate.passed else "NO", gate.met, gate.wanted)
        for gate in found.table.gates
    ]
    render.show_table(f"gates of version {found.version.number}", COLUMNS, rows)
    render.say(f"patients of elsewhere were looked at {found.looks} times with it")
    show_outcome(found)


def show_outcome(found: "Promotion") -> None:
    """Print what became of the version."""
    number, failed = found.version.number, ", ".join(found.table.failed)
    if not found.promoted:
        render.say(f"version {number} is not promoted: {failed}")
        return
    before = f", after version {found.before.number}" if found.before else ""
    render.say(f"version {number} is champion{before}")
    if found.reason:
        render.say(f"overridden, and recorded: {failed}: {found.reason}")
