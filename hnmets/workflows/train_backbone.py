"""`train backbone`: one network per training fold, end to end on the cached crops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import get_args

from feature_store.snapshot import read_snapshot
from hnmets.datasets.fold import Fold
from hnmets.datasets.split import Split
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.extractors.start_weights import Init
from hnmets.networks.architecture import BackboneName
from hnmets.tracking.base import Tracker
from hnmets.tracking.environment import capture
from hnmets.tracking.privacy import Privacy
from hnmets.workflows.backbone_lessons import FoldTraining, OnEpoch, lessons_of
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.named import named
from hnmets.workflows.remembering import remembered
from hnmets.workflows.store_view import in_view
from hnmets.workflows.study import Study
from hnmets.workflows.study_split import study_split
from hnmets.workflows.training_runs import TrainingRun, log_training


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which networks are wanted.

    Parameters
    ----------
    backbone
        Architecture by name.
    folds
        Numbers of folds within a repeat, from 1; all by default.
    repeats
        How many repeats of the split, from the first.
    init
        Seed or weights file to start from; by default those of the study's embedding, so that
        the untrained network is the trained one's past.
    force
        Train again what is there already.
    """

    backbone: BackboneName = "swin"
    folds: tuple[int, ...] = ()
    repeats: int = 1
    init: Init | None = None
    force: bool = False


def request_of(
    backbone: str, *, folds: Sequence[str], repeats: int, init: str | None, force: bool
) -> Request:
    """Return what was asked for in words.

    Raises
    ------
    UsageError
        If there is no such backbone, or a fold is no number.
    """
    if unknown := [number for number in folds if not number.isdecimal()]:
        raise UsageError(f"'{unknown[0]}' is no number of a fold").with_note("Say 1, or 1,3.")
    start: Init | None = None
    if init is not None:
        start = int(init) if init.isdecimal() else Path(init)
    return Request(
        backbone=backbone_of(backbone),
        folds=tuple(int(number) for number in folds),
        repeats=repeats,
        init=start,
        force=force,
    )


def backbone_of(name: str) -> BackboneName:
    """Return the backbone of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    found: BackboneName = named(name, get_args(BackboneName), "backbone")
    return found


@dataclass(frozen=True, kw_only=True)
class Training:
    """What became of all folds.

    Parameters
    ----------
    without_crop
        Cases of the split that no network could see.
    run
        Key of the run in MLflow; empty where nothing was trained.
    waiting
        Events that MLflow has not taken yet.
    """

    backbone: BackboneName
    folds: tuple[FoldTraining, ...]
    without_crop: tuple[str, ...]
    run: str = ""
    waiting: int = 0

    @property
    def failed(self) -> tuple[FoldTraining, ...]:
        """Folds without a network."""
        return tuple(each for each in self.folds if each.failure)

    def as_json(self) -> dict[str, object]:
        """Return the training as a JSON object."""
        return {
            "backbone": self.backbone,
            "folds": [each.as_json() for each in self.folds],
            "without_crop": list(self.without_crop),
            "run": self.run,
        }


def run(
    study: Study,
    request: Request,
    *,
    on_epoch: OnEpoch = lambda _fold, _done, _most: None,
    tracker: Tracker | None = None,
    arguments: Sequence[str] = (),
) -> Training:
    """Train the networks that are missing, one per training fold.

    A network learns from the fold's training part without its first inner part, and is stopped
    by that one; neither holds a patient whom the fold scores. A fold whose training fails is
    named with its reason, and the others go on. What was trained before a kill is kept, epoch
    by epoch.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, or the store no crops.
    UsageError
        If a fold or a repeat does not exist.
    WeightsError
        If the weights to start from cannot be used.
    """
    began = datetime.now(UTC)
    if study.outcome is None:
        raise InvalidDataError(f"study '{study.about.name}' has no outcome").with_note(
            "Add an [outcome] section to the study file."
        )
    cohort = read_cohort(study)
    snapshot = in_view(cohort, read_snapshot(study.store_folder))
    split = study_split(study, cohort, snapshot)
    wanted = folds_wanted(split, request)
    lessons = lessons_of(study, snapshot, split, backbone=request.backbone, init=request.init)
    folds = tuple(lessons.taught(fold, on_epoch, force=request.force) for fold in wanted)
    key, waiting = "", 0
    if any(each.epochs or each.failure for each in folds):
        told = TrainingRun(
            study=study.about.name,
            backbone=request.backbone,
            split=split.hash,
            settings={setting.name: setting.value for setting in study.settings()},
            folds=folds,
            environment=capture(arguments, privacy=Privacy.of(study.folder)),
            began=began,
            ended=datetime.now(UTC),
        )
        key, waiting = remembered(study.folder, partial(log_training, training=told), tracker)
    return Training(
        backbone=request.backbone,
        folds=folds,
        without_crop=lessons.without_crop,
        run=key,
        waiting=waiting,
    )


def folds_wanted(split: Split, request: Request) -> list[Fold]:
    """Return the folds that are asked for, of those that can teach.

    Raises
    ------
    UsageError
        If a repeat or a fold does not exist.
    """
    found: list[Fold] = []
    for repeat in range(1, request.repeats + 1):
        of_repeat = dict(enumerate((f for f in split.folds if f.repeat == repeat), 1))
        numbers = request.folds or tuple(of_repeat)
        if missing := [number for number in numbers if number not in of_repeat]:
            raise UsageError(
                f"{split.parameters.label} has no fold {missing[0]} in repeat {repeat}"
            )
        if not of_repeat:
            raise UsageError(f"{split.parameters.label} has no repeat {repeat}")
        found += [of_repeat[number] for number in numbers]
    return [fold for fold in found if not split.why_untrainable(fold)]
