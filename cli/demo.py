"""`hnmets demo`: the whole path on a synthetic cohort."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, render

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the demo.")]
# Small enough for minutes on two cores, large enough for texture in every tumour.
SCALE = 0.5


def demo(
    out: Out = Path("demo"),
    cases: options.SyntheticCases = 100,
    seed: options.Seed = 1,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Make a synthetic cohort, fill its store, ask what helps, and serve a model of it."""
    from cli.ablate import show_ladder
    from cli.features.build import show_report
    from cli.features.status import show_state
    from cli.models.promote import show_outcome, show_promotion
    from cli.models.register import show_registered
    from cli.predict import show_predicted
    from cli.train.backbone import show_training
    from hnmets.sources.synthetic.cohort import SyntheticCohort
    from hnmets.workflows import demo as workflow
    from hnmets.workflows import features_status
    from hnmets.workflows.study import load_study

    parameters = SyntheticCohort(cases=cases, seed=seed, scale=SCALE)
    with render.progress_bar(quiet=quiet) as advance:
        shown = workflow.run(out, parameters, jobs=jobs, on_step=render.say, on_case=advance)
    flow = shown.checked.flow
    render.say(f"{flow.read} cases read, {flow.included} included, {shown.checked.events} events")
    show_report(shown.built, json=False)
    show_state(features_status.run(load_study(shown.study)))
    for page in shown.sheets:
        render.say(f"contact sheet: {page}")
    show_training(shown.trained)
    show_ladder(shown.ablation)
    render.say(f"report: {shown.page}")
    show_registered(shown.served.registered)
    show_promotion(shown.served.tried)
    show_outcome(shown.served.promoted)
    show_predicted(shown.served.predicted)
    if not quiet:
        render.hint(f"next: hnmets ui --study {shown.study}")
        render.hint(f"      hnmets serve --study {shown.study}")
    raise typer.Exit(shown.built.exit_code)
