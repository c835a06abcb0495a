"""Runs crops through a trained classifier: embedding and log odds."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.extractors.network_engine import Engine, device_of, encoder_with
from hnmets.networks.classifier import Classifier
from hnmets.networks.classifier_file import load_classifier
from hnmets.networks.fold_model import StoredModel
from hnmets.networks.weights_file import require_unchanged


class EmbeddingAndLogit(nn.Module):
    """A classifier that tells what it saw too."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, crops: Tensor) -> Tensor:
        """Return embedding and log odds: (B, channels, D, H, W) to (B, embedding_size + 1)."""
        embedding = self.classifier.encoder(crops)
        return torch.cat([embedding, self.classifier.from_embedding(embedding)[:, None]], dim=1)


def trained_engine(
    stored: StoredModel, parameters: EmbeddingParameters, *, channels: int
) -> Engine:
    """Return the engine of a fold's network; the last few stay loaded.

    Raises
    ------
    WeightsError
        If the file changed since it was planned with, or cannot be used.
    UsageError
        If a GPU was asked for and there is none.
    """
    device = device_of(parameters.device, "single")
    network = replace(parameters, batch_size=1, device="auto")
    return Engine(
        encoder=_placed(stored.path, stored.sha256, network, channels=channels, device=device),
        device=torch.device(device),
        precision="single",
        batch_size=parameters.batch_size if device == "cuda" else 1,
    )


def classifier_of(
    path: Path, sha256: str, parameters: EmbeddingParameters, *, channels: int
) -> Classifier:
    """Return a fold's network on the CPU, in evaluation mode.

    Parameters
    ----------
    sha256
        Digest of the file that was planned with.

    Raises
    ------
    WeightsError
        If the file is another one, or cannot be used.
    """
    require_unchanged(path, sha256)
    # The weights that the encoder is built with are all replaced.
    classifier, _ = load_classifier(path, encoder_with(parameters, None, channels=channels))
    return classifier


# A task runs its cases through one network after the other.
@lru_cache(maxsize=8)
def _placed(
    path: Path,
    sha256: str,
    parameters: EmbeddingParameters,
    *,
    channels: int,
    device: Literal["cpu", "cuda"],
) -> nn.Module:
    classifier = classifier_of(path, sha256, parameters, channels=channels)
    return EmbeddingAndLogit(classifier).eval().to(device)
