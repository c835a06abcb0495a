"""What fusion heads compute, many heads of one layout at once."""

from collections.abc import Iterator, Mapping
from itertools import repeat

import torch
from torch import Tensor

from hnmets.models.head_layout import HeadLayout

Weights = Mapping[str, Tensor]


def logits(
    weights: Weights, inputs: Tensor, layout: HeadLayout, keep: Tensor | None = None
) -> Tensor:
    """Return the log odds of each member for its own rows, shape (members, rows).

    Parameters
    ----------
    weights
        `NAME.weight`, shape (members, in, out), and `NAME.bias`, shape (members, 1, out), of
        each map of `layout.linear`. In this order of axes every gradient is contiguous.
    inputs
        Shape (members, rows, columns), the modalities side by side.
    keep
        Shape (members, rows, sum of layout.dropped): factor of each unit under dropout, 0 or
        1 / (1 − dropout); None keeps every unit as it is.
    """
    masks: Iterator[Tensor | None]
    masks = repeat(None) if keep is None else iter(torch.split(keep, list(layout.dropped), dim=2))
    units = inputs
    if any(layout.projected):
        units = _fused(weights, _modalities(weights, inputs, layout, masks), layout)
    for place in range(len(layout.hidden)):
        units = _rectified(_linear(weights, f"layer.{place}", units), next(masks))
    # One output: a product of matrices of this shape leaves a core idle nearly all of the time.
    return (units * weights["out.weight"].mT).sum(dim=2) + weights["out.bias"].squeeze(2)


def gates(weights: Weights, tokens: list[Tensor]) -> Tensor:
    """Return the weight of each modality for each row, shape (members, rows, modalities)."""
    return _linear(weights, "gate", torch.cat(tokens, dim=2)).softmax(dim=2)


def _modalities(
    weights: Weights, inputs: Tensor, layout: HeadLayout, masks: Iterator[Tensor | None]
) -> list[Tensor]:
    """Return the units of each modality, shape (members, rows, units)."""
    found = []
    for place, block in enumerate(torch.split(inputs, list(layout.widths), dim=2)):
        if not layout.projected[place]:
            found.append(block)
            continue
        units, mask = _linear(weights, f"project.{place}", block), next(masks)
        # As published: gated units are tangents, tokens of an attention are linear.
        if layout.fusion == "concatenation":
            found.append(_rectified(units, mask))
        else:
            units = units.tanh() if layout.fusion == "gated" else units
            found.append(units if mask is None else units * mask)
    return found


def _fused(weights: Weights, blocks: list[Tensor], layout: HeadLayout) -> Tensor:
    if layout.gates:
        tokens = torch.stack(blocks, dim=3)
        return (tokens * gates(weights, blocks).unsqueeze(2)).sum(dim=3)
    if layout.attends:
        blocks = _attended(weights, torch.stack(blocks, dim=2))
    return torch.cat(blocks, dim=2)


def _attended(weights: Weights, tokens: Tensor) -> list[Tensor]:
    """Add to each modality what it finds in the others; tokens (members, rows, modalities, w)."""
    members, rows, modalities, width = tokens.shape
    flat = tokens.reshape(members, rows * modalities, width)
    query, key, value = (
        _linear(weights, name, flat).view(tokens.shape) for name in ("query", "key", "value")
    )
    likeness = query @ key.transpose(2, 3) / width**0.5
    itself = torch.eye(modalities, dtype=torch.bool, device=tokens.device)
    found = likeness.masked_fill(itself, float("-inf")).softmax(dim=3) @ value
    mixed = _linear(weights, "mix", found.reshape(flat.shape)).view(tokens.shape)
    return list((tokens + mixed).unbind(dim=2))


def _linear(weights: Weights, name: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(weights[f"{name}.bias"], inputs, weights[f"{name}.weight"])


def _rectified(units: Tensor, mask: Tensor | None) -> Tensor:
    """Rectify and drop in place, as one factor of each unit, so that both cost what one costs."""
    if mask is None:
        return units.relu_()
    # The mask where the unit is above 0 (or not a number), 0 elsewhere, in one pass.
    factors = torch.ops.aten.threshold_backward(mask, units.detach(), 0)
    return units.mul_(factors)
