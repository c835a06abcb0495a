"""A task that a network of one convolution learns in seconds."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hnmets.imaging.crop import Crop
from hnmets.models.backbone.cases import TrainingCases
from hnmets.models.backbone.crops import Crops, resident
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.networks.backbones import ConvolutionalEncoder

EDGE = 8
QUICK = BackboneParameters(epochs=4, learning_rate=0.02, batch_size=8, augment=("flip-z", "noise"))


def crop(rng: np.random.Generator, *, bright: bool = False) -> Crop:
    tumour = np.zeros((EDGE,) * 3, bool)
    tumour[2:6, 2:6, 3:6] = True
    ring = np.zeros_like(tumour)
    ring[1:7, 1:7, 2:7] = True
    ct = rng.integers(0, 65536, tumour.shape)
    ct[tumour] = 32768 + ct[tumour] // 2 if bright else ct[tumour] // 2
    return Crop(ct=ct.astype(np.uint16), tumour=tumour, ring=ring & ~tumour, spacing_mm=2.0)


def outcomes(n: int) -> NDArray[np.bool_]:
    return np.arange(n) % 3 == 0


def crops(n: int, *, seed: int = 0, device: str = "cpu") -> Crops:
    """Crops whose tumour is bright where the outcome is the event."""
    rng = np.random.default_rng(seed)
    drawn = [crop(rng, bright=bool(event)) for event in outcomes(n)]
    return resident(drawn, device=device)


def cases(n: int = 42, *, fitting: int = 30, seed: int = 0, device: str = "cpu") -> TrainingCases:
    """Learn from the first cases, stop by the others."""
    return TrainingCases(
        crops=crops(n, seed=seed, device=device),
        outcome=outcomes(n),
        fitting=np.arange(fitting),
        stopping=np.arange(fitting, n),
    )


def stopped_by_the_opposite() -> TrainingCases:
    """Cases of which those to stop by contradict those to learn from."""
    usual = cases()
    outcome = usual.outcome.copy()
    outcome[usual.stopping] = ~outcome[usual.stopping]
    return replace(usual, outcome=outcome)


def encoder(seed: int = 0, *, norm: bool = False) -> ConvolutionalEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = [nn.Conv3d(3, 4, kernel_size=3, stride=2)]
        if norm:
            # To one voxel a crop, where a batch of one has no variance.
            layers += [nn.AdaptiveAvgPool3d(1), nn.BatchNorm3d(4)]
        return ConvolutionalEncoder(nn.Sequential(*layers, nn.ReLU()), embedding_size=4)


class Troubled(ConvolutionalEncoder):
    """A network that fails on batches of more than `most` crops."""

    def __init__(self, most: int, failure: str) -> None:
        plain = encoder()
        super().__init__(plain.layers, embedding_size=plain.embedding_size)
        self.most, self.failure = most, failure

    def maps(self, crops: Tensor) -> Tensor:
        if self.training and len(crops) > self.most:
            raise RuntimeError(self.failure)
        return super().maps(crops)


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same_bits(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
