"""`hnmets tune finish`: measure a search as far as it is."""

import sys

from cli import options, render
from cli.tune import options as own
from cli.tune.result import show_result


def finish(
    study: options.StudyFile = options.DEFAULT_STUDY,
    target: own.Target = "head",
    trials: own.Trials = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score the winners of a search that other machines have worked on, or that was stopped."""
    from hnmets.workflows import tune as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"tuning.trials": trials})
    with render.progress_bar(quiet=quiet or json) as advance:
        found = workflow.finish(
            settings,
            target=workflow.target_of(target),
            on_trial=advance,
            arguments=sys.argv[1:],
        )
    if json:
        render.show_json(found.as_json())
    else:
        show_result(found)
