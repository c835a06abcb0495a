"""`hnmets tune`: the search itself."""

import sys
from typing import Annotated

import typer

from cli import options, render
from cli.tune import options as own
from cli.tune.result import show_result

Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=0.0, help="Minutes after which the search is measured as far as it is."
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with a search of just these settings and data; refuse to begin another.",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]


def tune(
    context: typer.Context,
    study: options.StudyFile = options.DEFAULT_STUDY,
    target: own.Target = "head",
    trials: own.Trials = None,
    timeout: Timeout = None,
    resume: Resume = False,
    workers: own.Workers = None,
    device: Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Search for the settings of a fusion head or a backbone, and score the winners.

    Each outer fold is searched on its training patients alone, and its winner is refitted and
    scored once. A last search over all patients gives the settings to register, as a study file.
    The same command goes on where it was stopped.
    """
    if context.invoked_subcommand is not None:
        return
    from hnmets.workflows import tune as workflow
    from hnmets.workflows.study import load_study

    flags = {"tuning.trials": trials, "tuning.workers": workers}
    request = workflow.request_of(target, device=device, timeout_min=timeout, resume=resume)
    with render.progress_bar(quiet=quiet or json) as advance:
        found = workflow.run(
            load_study(study, flags=flags), request, on_trial=advance, arguments=sys.argv[1:]
        )
    if json:
        render.show_json(found.as_json())
    else:
        show_result(found)
