"""What a training starts from: the untrained network of the study, or weights of a file."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from feature_store.recipe import Json
from hnmets.domain.errors import UsageError
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.networks.architecture import BackboneName

if TYPE_CHECKING:
    from hnmets.networks.encoder import Encoder

Init = int | Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where a training starts; the network is built when it is asked for.

    Parameters
    ----------
    parameters
        Of the network.
    channels
        Of its input.
    """

    parameters: EmbeddingParameters
    channels: int

    @property
    def identity(self) -> Json:
        """Seed or digest of the weights, as JSON."""
        digest = self.parameters.weights_sha256
        return f"sha256:{digest}" if digest else f"random(seed={self.parameters.seed}, contrast)"

    @cached_property
    def encoder(self) -> "Encoder":
        """The network, on the CPU; untrained weights see the CT at contrast.

        Raises
        ------
        WeightsError
            If the weights cannot be used.
        """
        from hnmets.extractors.network_engine import encoder_with
        from hnmets.networks.backbones import with_contrast
        from hnmets.networks.swin import SwinEncoder

        digest = self.parameters.weights_sha256
        encoder = encoder_with(self.parameters, digest, channels=self.channels)
        if digest is None and isinstance(encoder, SwinEncoder):
            return with_contrast(encoder)
        return encoder

    @property
    def device(self) -> str:
        """Where the training runs.

        Raises
        ------
        UsageError
            If a GPU was asked for and there is none.
        """
        from hnmets.extractors.network_engine import device_of

        return device_of(self.parameters.device, self.parameters.precision)


def start_of(
    parameters: EmbeddingParameters, *, backbone: BackboneName, init: Init | None, channels: int
) -> Start:
    """Return what a training starts from.

    Parameters
    ----------
    parameters
        Of the study's embedding: by default the training starts where that one stands.
    init
        Another seed, or another file of weights.

    Raises
    ------
    UsageError
        If weights are to be read into another network than a Swin Transformer, or nobody says
        how they were trained.
    WeightsError
        If there is no such file.
    """
    chosen = _chosen(parameters, init)
    if backbone != "swin":
        if isinstance(init, Path):
            raise UsageError(f"weights are read into a swin alone, not into a {backbone}")
        chosen = replace(chosen, weights=None)
    own = replace(chosen, backbone=backbone, precision="single")
    return Start(parameters=own, channels=channels)


def _chosen(parameters: EmbeddingParameters, init: Init | None) -> EmbeddingParameters:
    if init is None:
        return parameters
    if isinstance(init, int):
        return replace(parameters, weights=None, seed=init)
    if parameters.merging is None:
        raise UsageError(f"nobody says how {init.name} was trained").with_note(
            "Set [embedding] merging: 'legacy' if with MONAI up to 1.4, else 'fixed'."
        )
    return replace(parameters, weights=init)
