"""Random changes of crops: those of place as indices, which cost no interpolation."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from hnmets.models.backbone.parameters import Augmentation

SHIFT_VOXELS = 1
# Of the HU window: 8 HU in one of 400.
NOISE = 0.02
_MIRRORED: dict[Augmentation, str] = {
    "flip-x": "x",
    "flip-y": "y",
    "flip-z": "z",
    "turn-180": "xy",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where the voxels of a batch come from.

    Parameters
    ----------
    z, y, x
        int64 (B, edge): position in the crop of each position in the batch.
    transposed
        bool (B,): whether x and y change places, before anything else.
    """

    z: Tensor
    y: Tensor
    x: Tensor
    transposed: Tensor

    def __getitem__(self, part: slice) -> "Placement":
        """Return the placement of some cases of the batch."""
        return Placement(
            z=self.z[part], y=self.y[part], x=self.x[part], transposed=self.transposed[part]
        )

    def index(self, cases: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return indices that broadcast to (B, D, H, W)."""
        # After a transpose the row of a voxel is taken from x, its column from y.
        swapped = self.transposed[:, None, None]
        height, width = self.y[:, :, None], self.x[:, None, :]
        rows = torch.where(swapped, width, height)
        columns = torch.where(swapped, height, width)
        return (
            cases[:, None, None, None],
            self.z[:, :, None, None],
            rows[:, None],
            columns[:, None],
        )


def drawn_placement(
    augment: Collection[Augmentation], n: int, *, edge: int, generator: torch.Generator
) -> Placement:
    """Draw flips, turns, transposes and shifts for a batch of `n` crops.

    What a shift moves in at a border repeats the border.
    """
    device = generator.device
    mirrored = {axis: torch.zeros(n, dtype=torch.bool, device=device) for axis in "zyx"}
    for name in augment:
        if name in _MIRRORED:
            chosen = _coins(n, generator)
            for axis in _MIRRORED[name]:
                mirrored[axis] ^= chosen
    still = torch.zeros(n, dtype=torch.int64, device=device)
    shift = {axis: _shifts(n, generator) if "shift" in augment else still for axis in "zyx"}
    straight = torch.arange(edge, device=device)
    along = {
        axis: (
            torch.where(mirrored[axis][:, None], edge - 1 - straight, straight)
            + shift[axis][:, None]
        ).clamp(0, edge - 1)
        for axis in "zyx"
    }
    transposed = _coins(n, generator) if "transpose" in augment else still.bool()
    return Placement(**along, transposed=transposed)


def with_noise(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise to the CT of a batch, in place: float32 (B, 3, D, H, W)."""
    ct = batch[:, 0]
    ct += NOISE * torch.randn(ct.shape, generator=generator, device=batch.device)
    return batch


def _coins(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, device=generator.device) < 0.5


def _shifts(n: int, generator: torch.Generator) -> Tensor:
    farthest = SHIFT_VOXELS
    return torch.randint(
        -farthest, farthest + 1, (n,), generator=generator, device=generator.device
    )
