"""Initial weights of a stack."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hnmets.models.head_layout import HeadLayout


def initial_weights(
    layout: HeadLayout, seeds: Sequence[int], device: torch.device
) -> dict[str, Tensor]:
    """Draw the weights of each member: uniform, at most 1 / √inputs, as `torch.nn.Linear`.

    They follow from the member's seed alone, and are drawn on the CPU for every device.
    """
    drawn = {seed: _drawn(layout, seed) for seed in dict.fromkeys(seeds)}
    return {
        name: torch.stack([drawn[seed][name] for seed in seeds]).to(device).requires_grad_()
        for name in drawn[seeds[0]]
    }


def _drawn(layout: HeadLayout, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, (inputs, outputs) in layout.linear.items():
        limit = inputs**-0.5
        for part, rows in (("weight", inputs), ("bias", 1)):
            uniform = torch.rand((rows, outputs), generator=generator)
            weights[f"{name}.{part}"] = (2 * uniform - 1) * limit
    return weights
