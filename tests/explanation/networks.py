"""Small networks whose explanations are known, and one that learns planted cubes in seconds."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hnmets.networks.architecture import PRESETS
from hnmets.networks.classifier import Classifier
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import random_encoder

EDGE = 16
SIDE = 8


class Linear(nn.Module):
    """Log odds linear in the voxels, in float64."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.from_numpy(weights))

    def forward(self, crops: Tensor) -> Tensor:
        return (crops * self.weights).flatten(1).sum(dim=1) - 0.7


class ReadsPlace(nn.Module):
    """Squares the CT in one place and ignores everything else."""

    def __init__(self, place: NDArray[np.bool_]) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.place = torch.from_numpy(place)

    def forward(self, crops: Tensor) -> Tensor:
        return self.scale * crops[:, 0, self.place].square().mean(dim=1)


class ReadsMask(nn.Module):
    """Counts the voxels of the tumour's mask and ignores the CT."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, crops: Tensor) -> Tensor:
        return self.scale * crops[:, 1].flatten(1).sum(dim=1)


class SmallCnn(Encoder):
    """Blocks of 2³ voxels averaged, then convolutions; 16³ voxels become 8³ places."""

    embedding_size = 8

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AvgPool3d(2),
            nn.Conv3d(3, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv3d(8, 8, 1),
            nn.ReLU(),
        )

    def maps(self, crops: Tensor) -> Tensor:
        found: Tensor = self.layers(crops)
        return found


def swin(preset: str = "ci", *, seed: int = 0) -> Classifier:
    """A Swin with random weights and a random head."""
    architecture = PRESETS["mid"] if preset == "mid" else PRESETS["ci"]
    encoder = random_encoder(architecture, channels=3, merging="fixed", seed=seed)
    classifier = Classifier(encoder, prevalence=0.25).eval()
    with torch.no_grad():
        classifier.head.weight.normal_(std=0.3, generator=torch.manual_seed(seed))
    return classifier


def crop_with_cube(rng: np.random.Generator, *, cube: bool) -> tuple[NDArray[np.float32], ...]:
    """A noisy crop (3, 16, 16, 16) with a tumour mask in the middle, and where its cube is."""
    crop = np.zeros((3, EDGE, EDGE, EDGE), np.float32)
    crop[0] = rng.normal(0.4, 0.05, (EDGE,) * 3)
    crop[1, 5:11, 5:11, 5:11] = 1
    crop[2, 3:13, 3:13, 3:13] = 1 - crop[1, 3:13, 3:13, 3:13]
    place = np.zeros((EDGE,) * 3, bool)
    d, h, w = rng.integers(0, EDGE - SIDE, 3)
    place[d : d + SIDE, h : h + SIDE, w : w + SIDE] = True
    if cube:
        crop[0][place] += 0.5
    return crop, place


@cache
def trained_on_cubes() -> Classifier:
    """A small network that tells crops with a bright cube anywhere from those without."""
    rng = np.random.default_rng(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = Classifier(SmallCnn(), prevalence=0.5, dropout=0.0)
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=2e-2)
    told = torch.arange(16) % 2 == 0
    for _ in range(80):
        crops = [crop_with_cube(rng, cube=bool(cube))[0] for cube in told]
        log_odds = classifier(torch.from_numpy(np.stack(crops)))
        loss = nn.functional.binary_cross_entropy_with_logits(log_odds, told.float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return classifier.eval()
