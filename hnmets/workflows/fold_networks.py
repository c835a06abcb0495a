"""The backbones that a study trained: where they lie, and which of them are the study's today."""

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

from feature_store.recipe import Json
from hnmets.domain.variant import Variant
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.trained_embedding import TrainedEmbedding
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.networks.architecture import BackboneName, identity_of
from hnmets.networks.fold_model import StoredModel, read_fold_model
from hnmets.workflows.study import Study

_log = logging.getLogger(__name__)
_TRAINING, _VARIANT = "training", "variant"


def backbone_folder(study: Study) -> Path:
    """Return the folder of the store in which trained weights lie."""
    return study.store_folder / "backbones"


def weights_path(study: Study, backbone: BackboneName, fold: str) -> Path:
    """Return the file of a fold's backbone; training it anew replaces the file.

    Examples
    --------
    `store/backbones/k-fold-5x5-inner5-seed0/swin-repeat-1-fold-2.safetensors`
    """
    slug = re.sub(r"[^A-Za-z0-9]+", "-", fold)
    return backbone_folder(study) / study.split.label / f"{backbone}-{slug}.safetensors"


def main_embedding(study: Study, variant: Variant | None = None) -> Embedding | None:
    """Return what backbones see of the crops that they learn from; None without tumour or ring.

    Parameters
    ----------
    variant
        Of the crops; that of the study's own training by default.
    """
    both = next((e for e in study.embeddings if e.variant == "both"), None)
    return both and replace(both, variant=variant or study.backbone.variant)


def settings_of(study: Study, embedding: Embedding, backbone: BackboneName) -> dict[str, Json]:
    """Return everything that was chosen of a backbone's training, as JSON."""
    return {
        **_sight_of(embedding, backbone),
        _TRAINING: _training_identity(study.backbone),
    }


def trained_embeddings(study: Study) -> tuple[TrainedEmbedding, ...]:
    """Return one embedding per trained backbone and fold, of those that fit the study's settings.

    Backbones of other settings stay in the folder, and their embeddings in the store.

    Raises
    ------
    WeightsError
        If a file is damaged.
    """
    embedding = main_embedding(study)
    if embedding is None:
        return ()
    stored = [read_fold_model(path) for path in _files(study)]
    fitting = [each for each in stored if _is_of(study, embedding, each)]
    if passed := len(stored) - len(fitting):
        _log.info("%d trained backbones are of other settings", passed)
    return tuple(embedding_by(embedding, each) for each in fitting)


def embedding_on(study: Study, stored: StoredModel) -> TrainedEmbedding | None:
    """Return the embedding by any study's network of the crops of this one.

    None where the network was trained on crops that this study does not cut.
    """
    settings = dict(stored.model.settings)
    training = settings.pop(_TRAINING)
    named = training.get(_VARIANT, "both") if isinstance(training, dict) else None
    variant = next((each for each in get_args(Variant) if each == named), None)
    embedding = main_embedding(study, variant) if variant else None
    if embedding is None or settings != _sight_of(embedding, stored.model.backbone):
        return None
    return embedding_by(embedding, stored)


def embedding_by(embedding: Embedding, stored: StoredModel) -> TrainedEmbedding:
    """Return the embedding by a trained network, of the crops that it was trained on."""
    return TrainedEmbedding(
        variant=embedding.variant,
        rules=embedding.rules,
        tumour=embedding.tumour,
        ring=embedding.ring,
        parameters=replace(
            embedding.parameters, backbone=stored.model.backbone, weights=None, precision="single"
        ),
        stored=stored,
    )


def frozen_twins(study: Study, trained: Iterable[TrainedEmbedding]) -> tuple[Embedding, ...]:
    """Return the untrained self of each trained backbone that the study does not embed by yet."""
    embedding = main_embedding(study)
    if embedding is None:
        return ()
    names = {each.stored.model.backbone for each in trained}
    return tuple(
        replace(embedding, parameters=replace(embedding.parameters, backbone=name, weights=None))
        for name in sorted(names - {embedding.parameters.backbone})
    )


def _sight_of(embedding: Embedding, backbone: BackboneName) -> dict[str, Json]:
    """Return what a network is and sees, however it was trained, as JSON."""
    parameters = embedding.parameters
    return {
        "network": identity_of(backbone, parameters.architecture),
        "merging": parameters.merges,
        "crop": parameters.crop.identity,
        "regions": embedding.region_identity,
    }


def _training_identity(parameters: BackboneParameters) -> dict[str, Json]:
    """Return the settings that the weights depend on, as JSON."""
    identity: dict[str, Json] = json.loads(json.dumps(asdict(parameters)))
    # How fast, not what.
    del identity["compiled"]
    # Networks from before there was a choice have no other one.
    if parameters.variant == "both":
        del identity[_VARIANT]
    return identity


def _files(study: Study) -> list[Path]:
    return sorted((backbone_folder(study) / study.split.label).glob("*.safetensors"))


def _is_of(study: Study, embedding: Embedding, stored: StoredModel) -> bool:
    model = stored.model
    return model.is_of(settings_of(study, embedding, model.backbone))
