"""What a training starts from: the untrained network of the study, or weights of a file."""

from dataclasses import dataclass, replace
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
    """Where a training starts.

    Parameters
    ----------
    encoder
        On the CPU; every fold copies it.
    identity
        Seed or digest of its weights, as JSON.
    device
        Where the training runs.
    """

    encoder: "Encoder"
    identity: Json
    device: str


def start_of(
    parameters: EmbeddingParameters, *, backbone: BackboneName, init: Init | None, channels: int
) -> Start:
    """Build the network that a training starts from; untrained weights see the CT at contrast.

    Parameters
    ----------
    parameters
        Of the study's embedding: by default the training starts where that one stands.
    init
        Another seed, or another file of weights.

    Raises
    ------
    UsageError
        If weights are to be read into another network than a Swin Transformer, nobody says how
        they were trained, or a GPU was asked for and there is none.
    WeightsError
        If the weights cannot be used.
    """
    from hnmets.extractors.swin_engine import device_of, encoder_with
    from hnmets.networks.backbones import with_contrast
    from hnmets.networks.swin import SwinEncoder

    chosen = _chosen(parameters, init)
    if backbone != "swin":
        if isinstance(init, Path):
            raise UsageError(f"weights are read into a swin alone, not into a {backbone}")
        chosen = replace(chosen, weights=None)
    chosen = replace(chosen, backbone=backbone, precision="single")
    digest = chosen.weights_sha256
    encoder = encoder_with(chosen, digest, channels=channels)
    if digest is None and isinstance(encoder, SwinEncoder):
        encoder = with_contrast(encoder)
    return Start(
        encoder=encoder,
        identity=f"sha256:{digest}" if digest else f"random(seed={chosen.seed}, contrast)",
        device=device_of(parameters.device, "single"),
    )


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
