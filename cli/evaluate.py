"""`hnmets evaluate`: one rung, beside those that everything has to beat."""

import sys
from typing import Annotated

import typer

from cli import options, render

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
    str,
    typer.Option(
        "--model",
        "-m",
        help="What learns from --features: logistic, elastic-net, random-forest, boosting, "
        "fusion, fusion-gated, fusion-attention or fusion-paper.",
    ),
]


def evaluate(
    names: Names = None,
    study: options.StudyFile = options.DEFAULT_STUDY,
    features: Features = None,
    model: ModelOption = "elastic-net",
    split: options.Split = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit and score single rungs, beside size, clinical and clinical + size."""
    from cli.ablate import show_ladder
    from hnmets.workflows import ablate as workflow
    from hnmets.workflows.ladder import Choice, views_of
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"split.kind": split})
    asked = views_of(options.split(features, known="feature sets"), model=model)
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
