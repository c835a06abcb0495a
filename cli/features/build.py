"""`hnmets features build`: compute what the store does not have yet."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hnmets.workflows.build_plan import BuildPlan
    from hnmets.workflows.features_build import BuildReport

Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        help="Only these families: cohort, clinical, outcome, size, radiomics, embedding.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Compute again what is there already.")]


def build(
    study: options.StudyFile = options.DEFAULT_STUDY,
    only: Only = None,
    cases: options.Cases = None,
    jobs: options.Jobs = None,
    dry_run: options.DryRun = False,
    force: Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compute the features that the store does not have yet."""
    from hnmets.workflows import features_build as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"build.jobs": jobs})
    request = workflow.Request(only=options.split(only), cases=options.split(cases), force=force)
    if dry_run:
        show_plan(workflow.plan(settings, request), json=json)
        return
    with render.progress_bar(quiet=quiet or json) as advance:
        report = workflow.run(settings, request, on_case=advance)
    show_report(report, json=json)
    raise typer.Exit(report.exit_code)


def show_plan(plan: "BuildPlan", *, json: bool) -> None:
    """Print what a build would do."""
    if json:
        render.show_json(plan.as_json())
        return
    rows = [
        (label, plan.unchanged.get(label, 0), _reasons(plan.missing.get(label, {})))
        for label in dict.fromkeys([*plan.missing, *plan.unchanged])
    ]
    render.show_table("what a build would do", ("recipe", "unchanged", "to do"), rows)
    render.say(f"{len(plan.measured)} images to read")


def show_report(report: "BuildReport", *, json: bool) -> None:
    """Print what a build did."""
    if json:
        render.show_json(report.as_json())
        return
    rows = [
        (label, report.written[label], report.unchanged.get(label, 0)) for label in report.written
    ]
    render.show_table("features", ("recipe", "rows written", "unchanged"), rows)
    render.show_failures((*report.defects, *report.failures))
    for remark in report.remarks:
        render.say(f"remark: {remark}")
    if not any(report.written.values()) and not report.failures:
        render.say(f"nothing to do: all {report.cases} cases are in the store")
    else:
        render.say(
            f"{report.cases} cases, {report.quarantined} quarantined, "
            f"{len(report.excluded)} left out by the table, {report.seconds:.1f} s"
        )


def _reasons(counts: "Mapping[str, int]") -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
