"""Initial weights of a stack."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_padding import common_layout, rows_in


def initial_weights(
    layouts: Sequence[HeadLayout], seeds: Sequence[int], device: torch.device
) -> dict[str, Tensor]:
    """Draw the weights of each member: uniform, at most 1 / √inputs, as `torch.nn.Linear`.

    They follow from the member's own layout and seed alone, and are drawn on the CPU for every
    device; what fills a narrower member up to its neighbours is 0.
    """
    common = common_layout(layouts)
    members = list(zip(layouts, seeds, strict=True))
    drawn = {each: _filled(_drawn(*each), each[0], common) for each in dict.fromkeys(members)}
    return {
        name: torch.stack([drawn[each][name] for each in members]).to(device).requires_grad_()
        for name in drawn[members[0]]
    }


def _filled(weights: dict[str, Tensor], own: HeadLayout, common: HeadLayout) -> dict[str, Tensor]:
    if own == common:
        return weights
    places = rows_in(own, common)
    for name, (inputs, outputs) in common.linear.items():
        table = torch.zeros(inputs, outputs)
        table[torch.from_numpy(places[name])] = weights[f"{name}.weight"]
        weights[f"{name}.weight"] = table
    return weights


def _drawn(layout: HeadLayout, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, (inputs, outputs) in layout.linear.items():
        limit = inputs**-0.5
        for part, rows in (("weight", inputs), ("bias", 1)):
            uniform = torch.rand((rows, outputs), generator=generator)
            weights[f"{name}.{part}"] = (2 * uniform - 1) * limit
    return weights
