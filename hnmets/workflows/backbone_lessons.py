"""What the networks of all folds learn from, and the training of one of them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from hnmets.extractors.start_weights import Init
from hnmets.networks import device
from hnmets.networks.architecture import BackboneName
from hnmets.networks.fold_model import FoldModel, StoredModel, read_fold_model
from hnmets.workflows.cached_crops import cached_crops
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
    from hnmets.networks.encoder import Encoder

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
class Lessons:
    """What every fold of a training shares.

    Parameters
    ----------
    embedding
        Whose crops are learned from.
    encoder
        Where each training starts.
    init
        What its weights are, as JSON.
    crops
        On the device that trains, in the order of `place`.
    place, event, patient
        By case, of the cases that have a crop.
    keys
        By case, the identity of its crop.
    without_crop
        Cases of the split that have none.
    """

    study: Study
    backbone: BackboneName
    split: Split
    settings: dict[str, Json]
    embedding: Embedding
    encoder: "Encoder"
    init: Json
    crops: "Crops"
    place: dict[str, int]
    event: dict[str, bool]
    patient: dict[str, str]
    keys: dict[str, str]
    without_crop: tuple[str, ...]

    def taught(self, fold: Fold, on_epoch: OnEpoch, *, force: bool) -> FoldTraining:
        """Train the network of a fold, unless it is there already."""
        fitting = [case for case in fold.fitting() if case in self.place]
        stopping = [case for case in fold.choosing() if case in self.place]
        counts = len(fitting), len(stopping)
        path = weights_path(self.study, self.backbone, fold.name)
        data = self._digest(fitting, stopping)
        if not force and (present := self._present(path, data)):
            return self._told(fold, present, counts)
        try:
            trained = self._trained(fold, fitting, stopping, on_epoch)
        except HnmetsError as error:
            return FoldTraining(fold=fold.name, cases=counts, failure=str(error))
        return self._kept(fold, trained, fitting, data=data, path=path, counts=counts)

    def _present(self, path: Path, data: str) -> StoredModel | None:
        """Return the network that was trained before, where it is what training would make."""
        if not path.exists():
            return None
        stored = read_fold_model(path)
        model = stored.model
        told = (model.data, model.split, model.init)
        return (
            stored
            if model.is_of(self.settings) and told == (data, self.split.hash, self.init)
            else None
        )

    def _trained(
        self, fold: Fold, fitting: Sequence[str], stopping: Sequence[str], on_epoch: OnEpoch
    ) -> "TrainedBackbone":
        from hnmets.models.backbone.cases import TrainingCases
        from hnmets.models.backbone.training import train

        done: list[Epoch] = []
        parameters = self.study.backbone

        def after(epoch: "Epoch") -> None:
            done.append(epoch)
            on_epoch(fold.name, len(done), parameters.epochs)

        on_epoch(fold.name, 0, parameters.epochs)
        path = weights_path(self.study, self.backbone, fold.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return train(
            TrainingCases(
                crops=self.crops,
                outcome=np.array([self.event[case] for case in self.place], dtype=np.bool_),
                fitting=self._places(fitting),
                stopping=self._places(stopping),
            ),
            self.encoder,
            parameters,
            on_epoch=after,
            checkpoint=path.with_suffix(".checkpoint"),
        )

    def _kept(  # noqa: PLR0913 - what the file says of itself; all named
        self,
        fold: Fold,
        trained: "TrainedBackbone",
        fitting: Sequence[str],
        *,
        data: str,
        path: Path,
        counts: tuple[int, int],
    ) -> FoldTraining:
        """Write the weights with what they are, and forget the checkpoint."""
        from hnmets.networks.classifier_file import save_classifier

        model = FoldModel(
            backbone=self.backbone,
            split=self.split.hash,
            fold=fold.name,
            patients=tuple(sorted({patient_digest(self.patient[case]) for case in fitting})),
            settings=self.settings,
            init=self.init,
            data=data,
            outcome=outcome_of(trained),
        )
        save_classifier(path, trained.classifier, model.as_json())
        path.with_suffix(".checkpoint").unlink(missing_ok=True)
        return replace(self._told(fold, read_fold_model(path), counts), epochs=trained.epochs)

    def _told(self, fold: Fold, stored: StoredModel, counts: tuple[int, int]) -> FoldTraining:
        return FoldTraining(
            fold=fold.name,
            model=stored.model,
            sha256=stored.sha256,
            recipe=embedding_by(self.embedding, stored).recipe.label,
            cases=counts,
        )

    def _places(self, cases: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.place[case] for case in cases], dtype=np.int64)

    def _digest(self, fitting: Sequence[str], stopping: Sequence[str]) -> str:
        """Return the digest over what is learned from, and what the training is stopped by."""
        content = [
            [(self.keys[case], self.event[case]) for case in part] for part in (fitting, stopping)
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
    """Put the crops of all cases on the device, and the weights to start from beside them.

    Raises
    ------
    InvalidDataError
        If the study has no tumour or ring, or the store no crops.
    UsageError
        If a GPU was asked for and there is none.
    WeightsError
        If the weights to start from cannot be used.
    """
    from hnmets.extractors.start_weights import start_of
    from hnmets.models.backbone.crops import resident

    embedding = main_embedding(study)
    if embedding is None:
        raise InvalidDataError(f"study '{study.about.name}' has no crops to learn from").with_note(
            "It needs tumour and ring, and `both` among [embedding] variants."
        )
    cached = cached_crops(study, embedding, snapshot)
    subjects = [subject for subject in split.subjects if subject.case_id in cached.keys]
    start = start_of(embedding.parameters, backbone=backbone, init=init, channels=len(CHANNELS))
    return Lessons(
        study=study,
        backbone=backbone,
        split=split,
        settings=settings_of(study, embedding, backbone),
        embedding=embedding,
        encoder=start.encoder,
        init=start.identity,
        crops=resident([cached.read(s.case_id) for s in subjects], device=start.device),
        place={subject.case_id: place for place, subject in enumerate(subjects)},
        event={subject.case_id: subject.event for subject in subjects},
        patient={subject.case_id: subject.patient_id for subject in subjects},
        keys=dict(cached.keys),
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
