"""`hnmets evaluate`: one rung, beside those that everything has to beat."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, render

if TYPE_CHECKING:
    from hnmets.reporting.external import External

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Rungs of the ladder or views of the study.", show_default=False),
]
Features = Annotated[
    str | None,
    typer.Option(
        "--features",
        "-f",
        help="Instead of a name: feature sets and single columns, separated by commas.",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="What learns from --features: logistic, elastic-net, random-forest, boosting, "
        "fusion, fusion-gated, fusion-attention or fusion-paper. [elastic-net] With --of: number "
        "or alias of the version. [champion]",
        show_default=False,
    ),
]
Of = Annotated[
    Path | None,
    typer.Option(
        "--of",
        help="Apply a registered model of this study, as it is, to the cohort of --study.",
    ),
]
Again = Annotated[
    str, typer.Option("--again", help="Why patients who were looked at before are again.")
]

EqualIds = Annotated[
    str,
    typer.Option(
        "--equal-ids",
        help="With --of: why patients with the ids of training patients are other people.",
    ),
]
Page = Annotated[
    Path | None, typer.Option("--page", help="With --of: HTML file to write what was found to.")
]


def evaluate(
    names: Names = None,
    study: options.StudyFile = options.DEFAULT_STUDY,
    features: Features = None,
    model: ModelOption = None,
    split: options.Split = None,
    of: Of = None,
    again: Again = "",
    equal_ids: EqualIds = "",
    page: Page = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit and score single rungs, or apply a registered model to patients of elsewhere."""
    if of is not None:
        with render.progress_bar(quiet=quiet or json) as advance:
            tried = _tried(
                of, study, advance, model=model, again=again, equal_ids=equal_ids, page=page
            )
        if json:
            render.show_json(tried.as_json())
        else:
            _show(tried)
        return
    from cli.ablate import show_ladder
    from hnmets.workflows import ablate as workflow
    from hnmets.workflows.ladder import Choice, views_of
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"split.kind": split})
    asked = views_of(options.split(features, known="feature sets"), model=model or "elastic-net")
    wanted = (*(names or ()), *(view.name for view in asked))
    if not wanted:
        raise typer.BadParameter("name a rung, or say what it sees by --features")
    with render.progress_bar(quiet=quiet or json) as advance:
        found = workflow.run(
            settings,
            choice=Choice(views=asked, only=wanted),
            on_fold=advance,
            arguments=sys.argv[1:],
        )
    if json:
        render.show_json(found.as_json())
    else:
        show_ladder(found)


def _tried(
    of: Path,
    study: Path,
    advance: render.Advance,
    *,
    model: str | None,
    again: str,
    equal_ids: str,
    page: Path | None,
) -> "External":
    """Apply a registered model to another study's cohort."""
    from hnmets.workflows import external_validation as workflow
    from hnmets.workflows.study import load_study

    return workflow.run(
        load_study(of),
        load_study(study),
        model=model or "champion",
        again=again,
        equal_ids=equal_ids,
        page=page,
        on_case=advance,
        arguments=sys.argv[1:],
    )


def _show(found: "External") -> None:
    from cli.ablate import interval

    title = f"version {found.version.number}, {found.package.rung}, on {found.study}"
    rows = [(name.replace("_", " "), interval(each)) for name, each in found.measures.items()]
    render.show_table(title, ("measure", "value (95 %)"), rows)
    told = [
        (r.variable, r.group, r.n, r.events, interval(r.auc)) for r in found.subgroups if r.auc
    ]
    if told:
        render.show_table("subgroups", ("variable", "group", "patients", "events", "AUC"), told)
    render.say(
        f"{found.predictions.n} patients, {found.predictions.events} with the event; "
        f"threshold {found.package.threshold:.3f} and calibration as registered"
    )
    for reason, count in found.refused.items():
        render.say(f"no risk: {count} cases, {reason}")
    for code, count in found.flags.items():
        render.say(f"remarks: {count} cases, {code}")
    render.say(f"look {found.looks} at these patients; it is recorded")
