"""The networks of registered models: they stay with the patients, whatever is trained later.

A network's file names the patients that it has learned from by digests without a key. They are no
secret in the store; in a registry that others read they would be.
"""

from collections.abc import Collection
from pathlib import Path

from feature_store.atomic import link_or_copy
from hnmets.workflows.fold_networks import backbone_folder, trained_embeddings
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


def lend_networks(study: Study, labels: Collection[str], to: Study) -> None:
    """Give kept networks to a study that has trained none; those that are gone stay away.

    Parameters
    ----------
    to
        Study of equal settings, whose store is empty.
    """
    if not labels:
        return
    folder = backbone_folder(to) / to.split.label
    folder.mkdir(parents=True)
    for label in sorted(labels):
        file = _kept(study, label)
        if file.exists():
            link_or_copy(file, folder / file.name)


def _kept(study: Study, label: str) -> Path:
    return study.store_folder / "registry" / "networks" / f"{label}.safetensors"
