"""Class-weighted cross-entropy and focal loss of many members at once."""

import torch
from torch import Tensor
from torch.nn.functional import softplus


def losses(logits: Tensor, events: Tensor, weights: Tensor, gamma: Tensor) -> Tensor:
    """Return the mean weighted loss of each member, shape (members,).

    Parameters
    ----------
    logits
        Shape (members, rows).
    events
        Shape (members, rows): 1 with the event, 0 without.
    weights
        Shape (members, rows); 0 for a row that only fills the shape and does not count.
    gamma
        Shape (members, 1): exponent of the focal loss, 0 for the cross-entropy.
    """
    signed = logits * (2 * events - 1)
    # (1 − p)^gamma by its logarithm: the power itself has no derivative at p = 1 and gamma 0.
    focus = torch.exp(-gamma * softplus(signed))
    return (weights * focus * softplus(-signed)).sum(1) / (weights > 0).sum(1)
