from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hnmets.domain.errors import UsageError
from hnmets.extractors.embedding_parameters import EmbeddingParameters
from hnmets.extractors.start_weights import start_of
from hnmets.networks.architecture import PRESETS
from hnmets.networks.backbones import CONTRAST
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import SwinEncoder, random_encoder

STUDY = EmbeddingParameters(preset="ci", device="cpu", seed=3)


def swin(seed: int = 3) -> SwinEncoder:
    return random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=seed)


def filters(encoder: Encoder) -> torch.Tensor:
    return encoder.get_parameter("backbone.patch_embed.proj.weight")


def test_untrained_filters_of_a_swin_see_the_ct_at_contrast_and_the_masks_as_they_are() -> None:
    start = start_of(STUDY, backbone="swin", init=None, channels=3)
    assert start.identity == "random(seed=3, contrast)"
    torch.testing.assert_close(filters(start.encoder)[:, 0], CONTRAST * filters(swin())[:, 0])
    assert torch.equal(filters(start.encoder)[:, 1:], filters(swin())[:, 1:])


def test_weights_of_a_file_are_started_from_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "pretrained.safetensors"
    save_file(swin(seed=9).backbone.state_dict(), path)
    study = replace(STUDY, merging="fixed")
    start = start_of(study, backbone="swin", init=path, channels=3)
    assert str(start.identity).startswith("sha256:")
    assert torch.equal(filters(start.encoder), filters(swin(seed=9)))


def test_weights_of_a_file_are_read_into_a_swin_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="into a swin alone, not into a cnn"):
        start_of(
            replace(STUDY, merging="fixed"),
            backbone="cnn",
            init=tmp_path / "w.safetensors",
            channels=3,
        )


def test_a_convolution_starts_from_its_seed() -> None:
    start = start_of(STUDY, backbone="cnn", init=5, channels=3)
    assert (start.identity, start.device) == ("random(seed=5, contrast)", "cpu")
