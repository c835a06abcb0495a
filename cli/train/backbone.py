"""`hnmets train backbone`: one network per training fold."""

import sys
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cli import options, render
from hnmets.networks.architecture import BackboneName

if TYPE_CHECKING:
    from hnmets.workflows.backbone_lessons import FoldTraining
    from hnmets.workflows.train_backbone import Training

NAMES = ", ".join(get_args(BackboneName))
Backbone = Annotated[str, typer.Option("--backbone", "-b", help=f"One of {NAMES}.")]
Folds = Annotated[
    str | None, typer.Option("--fold", help="Only these folds of a repeat: 1, or 1,3.")
]
AllFolds = Annotated[bool, typer.Option("--all-folds", help="Every fold, as without --fold.")]
Repeats = Annotated[
    int, typer.Option("--repeats", min=1, help="So many repeats of the split, from the first.")
]
InitText = Annotated[
    str | None,
    typer.Option(
        "--init",
        help="Start from another seed (a number), or from a file with weights of a swin. "
        "[study: embedding.seed, embedding.weights]",
    ),
]
Device = Annotated[
    str | None, typer.Option("--device", help="auto, cpu or cuda. [study: embedding.device]")
]
Force = Annotated[bool, typer.Option("--force", help="Train again what is there already.")]
COLUMNS = ("fold", "fitted on", "stopped by", "epoch", "inner loss", "inner AUC", "what happened")


def backbone(
    study: options.StudyFile = options.DEFAULT_STUDY,
    backbone: Backbone = "swin",
    fold: Folds = None,
    all_folds: AllFolds = False,
    repeats: Repeats = 1,
    init: InitText = None,
    device: Device = None,
    force: Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train one network per training fold, on the crops that a build has cut.

    No network learns from a patient whom its fold scores. `hnmets features build` then embeds
    every case by each of them, and `hnmets ablate` compares.
    """
    from hnmets.workflows import train_backbone as workflow
    from hnmets.workflows.study import load_study

    settings = load_study(study, flags={"embedding.device": device})
    request = workflow.request_of(
        backbone,
        folds=() if all_folds else options.split(fold),
        repeats=repeats,
        init=init,
        force=force,
    )
    with render.progress_bar(quiet=quiet or json) as advance:
        found = workflow.run(settings, request, on_epoch=advance, arguments=sys.argv[1:])
    if json:
        render.show_json(found.as_json())
    else:
        show_training(found)
        render.say(f"next: hnmets features build --study {study}")
    if found.failed:
        raise typer.Exit(1)


def show_training(found: "Training") -> None:
    """Print each fold, and who could not be seen."""
    render.show_table(f"backbone {found.backbone}", COLUMNS, [_row(each) for each in found.folds])
    if found.without_crop:
        render.say(
            f"{len(found.without_crop)} cases have no crop and are left out: "
            f"{', '.join(found.without_crop[:5])}"
        )
    if found.waiting:
        render.say(f"{found.waiting} events wait for MLflow; the next run sends them")


def _row(fold: "FoldTraining") -> tuple[render.Cell, ...]:
    counts = (fold.fold, *fold.cases)
    if fold.model is None:
        return (*counts, None, None, None, fold.failure)
    told = fold.model.outcome
    numbers = [told[name] for name in ("inner_loss", "inner_auc")]
    return (
        *counts,
        f"{told['chosen_epoch']} of {told['epochs']}",
        *(number if isinstance(number, float) else None for number in numbers),
        str(told["ending"]) if fold.epochs else "trained before",
    )
