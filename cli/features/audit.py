"""`hnmets features audit`: measure stored regions once more, by PyRadiomics itself."""

from typing import Annotated

import typer

from cli import options, render
from cli.features.build import show_verdicts

Percent = Annotated[
    float, typer.Option("--percent", min=0, max=100, help="Share of the regions to compare.")
]


def audit(
    study: options.StudyFile = options.DEFAULT_STUDY,
    percent: Percent = 5.0,
    cases: options.Cases = None,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare stored radiomics that were not compared yet with PyRadiomics' own values."""
    from hnmets.workflows import features_audit as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"build.jobs": jobs})
    chosen = options.split(cases)
    with render.progress_bar(quiet=quiet or json) as advance:
        report = workflow.run(
            settings, percent=percent, cases=chosen, on_case=advance, on_step=render.hint
        )
    if json:
        render.show_json(report.as_json())
    else:
        render.show_failures(report.failures)
        show_verdicts(report.verdicts)
        render.say(f"{len(report.verdicts)} regions compared, {report.seconds:.1f} s")
    raise typer.Exit(4 if report.failures else 0)
