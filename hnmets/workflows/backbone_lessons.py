"""What the networks of all folds learn from, and the training of one of them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Json
from feature_store.snapshot import Snapshot
from hnmets.datasets.fold import Fold
from hnmets.datasets.provenance import patient_digest
from hnmets.datasets.split import Split
from hnmets.domain.errors import HnmetsError, InvalidDataError
from hnmets.extractors.embedding import CHANNELS, Embedding
from hnmets.extractors.start_weights import Init, Start, start_of
from hnmets.networks import device
from hnmets.networks.architecture import BackboneName
from hnmets.networks.fold_model import FoldModel, StoredModel, read_fold_model
from hnmets.workflows.cached_crops import CachedCrops, cached_crops
from hnmets.workflows.fold_networks import (
    embedding_by,
    main_embedding,
    settings_of,
    weights_path,
)
from hnmets.workflows.study import Study

if TYPE_CHECKING:
    from hnmets.models.backbone.crops import Crops
    from hnmets.models.backbone.result import Epoch, TrainedBackbone

# A fold's name, the epochs that are done, and how many there are at most.
OnEpoch = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class FoldTraining:
    """What became of one fold.

    Parameters
    ----------
    model
        What the weights file says of itself; None where the training failed.
    sha256, recipe
        Digest of the weights file, and the label under which a build stores its embeddings.
    cases
        How many were learned from, and how many the training was stopped by.
    epochs
        Those that were run now; none where the fold was trained before.
    failure
        Why there is no network; empty where there is one.
    """

    fold: str
    model: FoldModel | None = None
    sha256: str = ""
    recipe: str = ""
    cases: tuple[int, int]
    epochs: tuple["Epoch", ...] = ()
    failure: str = ""

    def as_json(self) -> dict[str, object]:
        """Return what became of it as a JSON object."""
        return {
            "fold": self.fold,
            "weights": self.sha256,
            "recipe": self.recipe,
            "fitted_on": self.cases[0],
            "stopped_by": self.cases[1],
            "trained_now": bool(self.epochs),
            "outcome": dict(self.model.outcome) if self.model else None,
            "failure": self.failure,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Lesson:
    """What one network learns from.

    Parameters
    ----------
    path
        Where its weights are to lie.
    fitting, stopping
        Cases that have a crop.
    """

    fold: Fold
    path: Path
    fitting: tuple[str, ...]
    stopping: tuple[str, ...]

    @property
    def counts(self) -> tuple[int, int]:
        """How many cases are learned from, and how many the training is stopped by."""
        return len(self.fitting), len(self.stopping)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lessons:
    """What every fold of a training shares; crops are read when the first network needs them.

    Parameters
    ----------
    embedding
        Whose crops are learned from.
    start
        Where each training starts.
    cached
        The crops on disk.
    place, event, patient
        By case, of the cases that have a crop.
    without_crop
        Cases of the split that have none.
    """

    study: Study
    backbone: BackboneName
    split: Split
    settings: dict[str, Json]
    embedding: Embedding
    start: Start
    cached: CachedCrops
    place: dict[str, int]
    event: dict[str, bool]
    patient: dict[str, str]
    without_crop: tuple[str, ...]

    @cached_property
    def crops(self) -> "Crops":
        """All crops, on the device that trains, in the order of `place`."""
        from hnmets.models.backbone.crops import resident

        return resident(
            [self.cached.read(case) for case in self.place],
            device=self.start.device,
            variant=self.embedding.variant,
        )

    def taught(self, fold: Fold, on_epoch: OnEpoch, *, force: bool) -> FoldTraining:
        """Train the network of a fold, unless it is there already."""
        lesson = _Lesson(
            fold=fold,
            path=weights_path(self.study, self.backbone, fold.name),
            fitting=tuple(case for case in fold.fitting() if case in self.place),
            stopping=tuple(case for case in fold.choosing() if case in self.place),
        )
        if not force and (present := self._present(lesson)):
            return self._told(lesson, present)
        # Before any failure of the training itself: without them no fold can be trained.
        _ = self.start.encoder, self.crops
        try:
            trained = self._trained(lesson, on_epoch)
        except HnmetsError as error:
            return FoldTraining(fold=fold.name, cases=lesson.counts, failure=str(error))
        return self._kept(lesson, trained)

    def _present(self, lesson: _Lesson) -> StoredModel | None:
        """Return the network that was trained before, where it is what training would make."""
        if not lesson.path.exists():
            return None
        stored = read_fold_model(lesson.path)
        model = stored.model
        wanted = (self._digest(lesson), self.split.hash, self.start.identity)
        same = model.is_of(self.settings) and (model.data, model.split, model.init) == wanted
        return stored if same else None

    def _trained(self, lesson: _Lesson, on_epoch: OnEpoch) -> "TrainedBackbone":
        from hnmets.models.backbone.cases import TrainingCases
        from hnmets.models.backbone.training import train

        parameters = self.study.backbone

        def after(epochs: Sequence["Epoch"]) -> None:
            on_epoch(lesson.fold.name, len(epochs), parameters.epochs)

        on_epoch(lesson.fold.name, 0, parameters.epochs)
        lesson.path.parent.mkdir(parents=True, exist_ok=True)
        return train(
            TrainingCases(
                crops=self.crops,
                outcome=np.array([self.event[case] for case in self.place], dtype=np.bool_),
                fitting=self._places(lesson.fitting),
                stopping=self._places(lesson.stopping),
            ),
            self.start.encoder,
            parameters,
            on_epoch=after,
            checkpoint=lesson.path.with_suffix(".checkpoint"),
        )

    def _kept(self, lesson: _Lesson, trained: "TrainedBackbone") -> FoldTraining:
        """Write the weights with what they are, and forget the checkpoint."""
        from hnmets.networks.classifier_file import save_classifier

        model = FoldModel(
            backbone=self.backbone,
            split=self.split.hash,
            fold=lesson.fold.name,
            patients=tuple(sorted({patient_digest(self.patient[c]) for c in lesson.fitting})),
            settings=self.settings,
            init=self.start.identity,
            data=self._digest(lesson),
            outcome=outcome_of(trained),
        )
        save_classifier(lesson.path, trained.classifier, model.as_json())
        lesson.path.with_suffix(".checkpoint").unlink(missing_ok=True)
        return replace(self._told(lesson, read_fold_model(lesson.path)), epochs=trained.epochs)

    def _told(self, lesson: _Lesson, stored: StoredModel) -> FoldTraining:
        return FoldTraining(
            fold=lesson.fold.name,
            model=stored.model,
            sha256=stored.sha256,
            recipe=embedding_by(self.embedding, stored).recipe.label,
            cases=lesson.counts,
        )

    def _places(self, cases: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.place[case] for case in cases], dtype=np.int64)

    def _digest(self, lesson: _Lesson) -> str:
        """Return the digest over what is learned from, and what the training is stopped by."""
        content = [
            [(self.cached.keys[case], self.event[case]) for case in part]
            for part in (lesson.fitting, lesson.stopping)
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def lessons_of(
    study: Study,
    snapshot: Snapshot,
    split: Split,
    *,
    backbone: BackboneName,
    init: Init | None,
) -> Lessons:
    """Find the crops of all cases, and the weights to start from.

    Raises
    ------
    InvalidDataError
        If the study has no tumour or ring, or the store no crops.
    UsageError, WeightsError
        See `start_of`.
    """
    embedding = main_embedding(study)
    if embedding is None:
        raise InvalidDataError(f"study '{study.about.name}' has no crops to learn from").with_note(
            "It needs tumour and ring, and `both` among [embedding] variants."
        )
    cached = cached_crops(study, embedding, snapshot)
    subjects = [subject for subject in split.subjects if subject.case_id in cached.keys]
    return Lessons(
        study=study,
        backbone=backbone,
        split=split,
        settings=settings_of(study, embedding, backbone),
        embedding=embedding,
        start=start_of(embedding.parameters, backbone=backbone, init=init, channels=len(CHANNELS)),
        cached=cached,
        place={subject.case_id: place for place, subject in enumerate(subjects)},
        event={subject.case_id: subject.event for subject in subjects},
        patient={subject.case_id: subject.patient_id for subject in subjects},
        without_crop=tuple(s.case_id for s in split.subjects if s.case_id not in cached.keys),
    )


def outcome_of(trained: "TrainedBackbone") -> dict[str, Json]:
    """Return how a training went, as JSON."""
    chosen = trained.epochs[trained.chosen - 1]
    return {
        "epochs": len(trained.epochs),
        "chosen_epoch": trained.chosen,
        "inner_loss": chosen.inner_loss,
        "inner_auc": chosen.inner_auc,
        "ending": trained.ending,
        "at_once": trained.at_once,
        "crops_per_second": sum(e.crops_per_second for e in trained.epochs) / len(trained.epochs),
        "device": device.describe(),
        "torch": version("torch"),
        "monai": version("monai"),
    }
