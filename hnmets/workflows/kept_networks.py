"""The networks of registered models: they stay with the patients, whatever is trained later.

A network's file names the patients that it has learned from by digests without a key. They are no
secret in the store; in a registry that others read they would be.
"""

from collections.abc import Collection
from pathlib import Path

from feature_store.atomic import link_or_copy
from hnmets.extractors.trained_embedding import TrainedEmbedding
from hnmets.networks.fold_model import read_fold_model
from hnmets.workflows.fold_networks import embedding_on, trained_embeddings
from hnmets.workflows.study import Study


def keep_networks(study: Study, labels: Collection[str]) -> None:
    """Keep those of the study's trained backbones whose recipes have these labels."""
    if not labels:
        return
    for embedding in trained_embeddings(study):
        target = _kept(study, embedding.recipe.label)
        if embedding.recipe.label in labels and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(embedding.stored.path, target)


def kept_embeddings(
    of: Study, labels: Collection[str], cohort: Study
) -> tuple[TrainedEmbedding, ...]:
    """Return what kept networks see of the crops of a study, which may be another one.

    A network that is gone or was changed is left out, and so is one that was trained on crops
    that the study does not cut.

    Parameters
    ----------
    of
        Study of the model.
    labels
        Of the networks' recipes.
    cohort
        Study of the cases.

    Raises
    ------
    WeightsError
        If a file is damaged.
    """
    files = [_kept(of, label) for label in sorted(labels)]
    stored = [read_fold_model(file) for file in files if file.exists()]
    found = (embedding_on(cohort, each) for each in stored)
    return tuple(each for each in found if each and each.recipe.label in labels)


def _kept(study: Study, label: str) -> Path:
    return study.store_folder / "registry" / "networks" / f"{label}.safetensors"
