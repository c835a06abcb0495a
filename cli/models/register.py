"""`hnmets models register`: an evaluated rung becomes a version."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from hnmets.workflows.models_register import Registered

Run = Annotated[
    str | None, typer.Argument(help="Key of the run, or its beginning; the newest by default.")
]
Rung = Annotated[
    str | None,
    typer.Option("--rung", help="Rung of the run. [default: the one its report is about]"),
]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit", help="Register models of all patients, whom nobody can measure any more."
    ),
]


def register(
    run: Run = None,
    study: options.StudyFile = options.DEFAULT_STUDY,
    rung: Rung = None,
    refit: Refit = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit a measured rung again, compare it with its evaluation, and register what is equal."""
    from hnmets.workflows import models_register as workflow
    from hnmets.workflows.study import load_study

    with render.progress_bar(quiet=quiet or json) as advance:
        found = workflow.run(load_study(study), asked=run, rung=rung, refit=refit, on_fold=advance)
    if json:
        render.show_json(found.as_json())
    else:
        show_registered(found)


def show_registered(found: "Registered") -> None:
    """Print the version, and how far it is from what was measured."""
    render.say(
        f"{found.name} version {found.version.number}: {found.package.rung}, "
        f"{len(found.package.members)} {found.package.kind}, "
        f"{len(found.package.columns)} inputs, package {found.version.package[:12]}"
    )
    render.say(f"largest difference from the evaluation: {found.replay:.1e}")
    render.say(f"next: hnmets models promote {found.version.number}")
