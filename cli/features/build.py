"""`hnmets features build`: compute what the store does not have yet."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hnmets.extractors.radiomics_audit import Verdict
    from hnmets.workflows.build_plan import BuildPlan
    from hnmets.workflows.build_report import BuildReport

FAMILIES = "cohort, clinical, outcome, size, radiomics, embedding"
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        help=f"Only these families: {FAMILIES}.",
    ),
]
Audit = Annotated[
    float | None,
    typer.Option(
        "--audit",
        min=0,
        max=100,
        help="Percent of the regions that PyRadiomics measures too. [study: build.audit_percent]",
    ),
]
Control = Annotated[
    str | None,
    typer.Option(
        "--control",
        help="Measure a negative control instead, as recipes of its own: shuffled-, randomised- "
        "or sampled-, each with full, roi or outside (shuffled-roi); blank or mask-only. "
        "[study: controls.seed, controls.region]",
    ),
]
Perturb = Annotated[
    str | None,
    typer.Option(
        "--perturb",
        help="Measure other contours or noise instead, as recipes of their own: grow-1mm, "
        "shrink-1mm, shift-1mm, contour-1mm, noise-10hu, with any amplitude. "
        "[study: controls.seed]",
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
    audit: Audit = None,
    control: Control = None,
    perturb: Perturb = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compute the features that the store does not have yet."""
    from hnmets.workflows import features_build as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"build.jobs": jobs, "build.audit_percent": audit})
    request = workflow.Request(
        only=options.split(only, known=FAMILIES),
        cases=options.split(cases),
        force=force,
        control=control,
        perturb=perturb,
    )
    if dry_run:
        show_plan(workflow.plan(settings, request), json=json)
        return
    with render.progress_bar(quiet=quiet or json) as advance:
        report = workflow.run(settings, request, on_case=advance, on_step=render.hint)
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
    show_verdicts(report.verdicts)
    for remark in report.remarks:
        render.say(f"remark: {remark}")
    if not any(report.written.values()) and not report.failures:
        render.say(f"nothing to do: all {report.cases} cases are in the store")
    else:
        render.say(
            f"{report.cases} cases, {report.quarantined} quarantined, "
            f"{len(report.excluded)} left out by the table, {report.seconds:.1f} s"
        )


def show_verdicts(verdicts: "Sequence[Verdict]") -> None:
    """Print how far the fast radiomics are from PyRadiomics' own."""
    if not verdicts:
        return
    worst = max(verdicts, key=lambda verdict: verdict.worst)
    render.say(f"audit: {len(verdicts)} regions measured by PyRadiomics too; worst in {worst}")
    for verdict in verdicts:
        if not verdict.is_true:
            render.say(f"audit: PyRadiomics' values are kept for {verdict}")


def _reasons(counts: "Mapping[str, int]") -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
