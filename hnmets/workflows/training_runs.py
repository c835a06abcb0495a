"""The training of a backbone as runs: one for all folds, and one for each with its curves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hnmets.tracking.base import Metric, NewRun, Status, Tracker
from hnmets.tracking.environment import Environment
from hnmets.tracking.naming import Kind
from hnmets.tracking.params import flattened
from hnmets.workflows.backbone_lessons import FoldTraining

if TYPE_CHECKING:
    from hnmets.models.backbone.result import Epoch

_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """What the runs of a training say.

    Parameters
    ----------
    settings
        Of the study, by dotted name.
    began, ended
        With a time zone.
    """

    study: str
    backbone: str
    split: str
    settings: Mapping[str, object]
    folds: Sequence[FoldTraining]
    environment: Environment
    began: datetime
    ended: datetime


def log_training(tracker: Tracker, training: TrainingRun) -> str:
    """Log a training with its folds; return the key of its run."""
    told = {"backbone": training.backbone, "split_hash": training.split[:_DIGITS]}
    parent = tracker.start(
        NewRun(
            experiment=training.study,
            name=f"training {training.backbone}",
            at=training.began,
            tags={"kind": Kind.TRAINING.value, **told, **training.environment.tags},
            params=flattened(training.settings, counted=("cohort.exclude",)),
        )
    )
    for fold in training.folds:
        key = tracker.start(
            NewRun(
                experiment=training.study,
                name=f"training {training.backbone} {fold.fold}",
                at=training.began,
                parent=parent,
                tags={"kind": Kind.BACKBONE.value, "fold": fold.fold, **told, **_tags(fold)},
            )
        )
        tracker.log_metrics(key, list(_curves(fold.epochs)), at=training.ended)
        status = Status.FAILED if fold.failure else Status.FINISHED
        tracker.end(key, status, at=training.ended)
    failed = all(fold.failure for fold in training.folds)
    tracker.end(parent, Status.FAILED if failed else Status.FINISHED, at=training.ended)
    return parent


def _tags(fold: FoldTraining) -> dict[str, str]:
    """Return the weights, how they were made and how it ended, or why there are none."""
    if fold.model is None:
        return {"failure": fold.failure}
    told = {name: str(value) for name, value in fold.model.outcome.items()}
    return {
        "weights": fold.sha256,
        "recipe": fold.recipe,
        "data": fold.model.data[:_DIGITS],
        **told,
    }


def _curves(epochs: Sequence["Epoch"]) -> Iterator[Metric]:
    """Return every number of every epoch that is one; the first epoch is step 1."""
    for step, epoch in enumerate(epochs, 1):
        for name, value in vars(epoch).items():
            if value is not None:
                yield Metric(name=name, value=float(value), step=step)
