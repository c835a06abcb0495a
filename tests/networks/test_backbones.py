import subprocess
import sys
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from hnmets.networks.architecture import PRESETS, BackboneName, embedding_size_of
from hnmets.networks.backbones import CONTRAST, encoder_of, with_contrast
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import SwinEncoder

CI = PRESETS["ci"]
NAMES = get_args(BackboneName)


def crops(n: int = 2) -> Tensor:
    return torch.rand((n, 3, 32, 32, 32), generator=torch.manual_seed(1))


def embedded(network: Encoder) -> Tensor:
    with torch.inference_mode():
        found: Tensor = network(crops())
    return found


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_an_embedding_is_pooled_from_the_maps_to_the_size_that_is_told_beforehand(
    name: BackboneName,
) -> None:
    network = encoder_of(name, CI, seed=0)
    size = embedding_size_of(name, CI)
    with torch.inference_mode():
        maps = network.maps(crops())
        found = network.pooled(maps)
    assert (maps.ndim, maps.shape[1]) == (5, size)
    assert found.shape == (2, size)
    assert network.embedding_size == size
    assert found.isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "swin"])
def test_a_seed_gives_the_same_weights_and_leaves_the_process_s_generator_alone(
    name: BackboneName,
) -> None:
    state = torch.get_rng_state()
    one, same, other = (encoder_of(name, CI, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert same_weights(one, same)
    assert not same_weights(one, other)


@pytest.mark.parametrize(
    ("name", "millions"),
    # 14.4, 33.2, 11.3 and 4.7 as measured on MONAI 1.6.1 with two channels, with their heads
    # (none, none, 1025 and 1281 numbers); a third adds its input filters. The CNN by hand.
    [
        ("resnet10", 14.4),
        ("resnet18", 33.2),
        ("densenet121", 11.3),
        ("efficientnet-b0", 4.7),
        ("cnn", (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128) * 27 / 1e6),
    ],
)
def test_a_backbone_is_the_network_of_its_name(name: BackboneName, millions: float) -> None:
    network = encoder_of(name, CI, seed=0)
    count = sum(weight.numel() for weight in network.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.01)


@pytest.mark.parametrize("name", ["densenet121", "efficientnet-b0"])
def test_in_evaluation_a_crop_does_not_depend_on_its_company(name: BackboneName) -> None:
    network = encoder_of(name, CI, seed=0)
    with torch.inference_mode():
        alone = torch.cat([network(crop[None]) for crop in crops()])
    torch.testing.assert_close(alone, embedded(network), rtol=1e-4, atol=1e-5)


def test_no_activation_overwrites_what_an_explanation_has_hooked() -> None:
    network = encoder_of("densenet121", CI, seed=0)
    maps = network.maps(crops())
    (gradient,) = torch.autograd.grad(network.pooled(maps).sum(), maps)
    # an average of 1 x 1 x 1 positions
    assert torch.equal(gradient, torch.ones_like(maps))


def test_more_channels_are_more_input_filters() -> None:
    two, three = (encoder_of("cnn", CI, channels=channels, seed=0) for channels in (2, 3))
    filters = [next(m for m in n.modules() if isinstance(m, nn.Conv3d)) for n in (two, three)]
    assert [f.in_channels for f in filters] == [2, 3]


def test_the_names_of_backbones_load_neither_torch_nor_monai() -> None:
    code = """
import sys
import hnmets.models.backbone.parameters, hnmets.networks.architecture
print(*sorted({"torch", "monai", "numpy"} & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == ""


def test_contrast_in_the_filters_is_contrast_in_the_crop() -> None:
    plain, sharp = (encoder_of("swin", CI, seed=0) for _ in range(2))
    assert isinstance(sharp, SwinEncoder)
    batch = crops()
    seen = batch.clone()
    seen[:, 0] = CONTRAST * (batch[:, 0] - 0.5)
    with torch.inference_mode():
        torch.testing.assert_close(with_contrast(sharp)(batch), plain(seen), rtol=1e-3, atol=1e-4)


def test_convolutions_see_the_ct_centred_and_in_tumour_and_ring_alone() -> None:
    network = encoder_of("cnn", CI, seed=0)
    crop = torch.full((1, 3, 32, 32, 32), 0.6)
    crop[:, 1:] = 0
    crop[:, 1, 10:20], crop[:, 2, 20:22] = 1, 1
    expected = crop.clone()
    expected[:, 0] = 0
    expected[:, 0, 10:22] = 1.0  # (0.6 - 0.5) · 10
    with torch.inference_mode():
        layers = network.get_submodule("layers")
        torch.testing.assert_close(network.maps(crop), layers(expected))
