"""How a network is asked: in evaluation mode, on its own device, one crop at a time."""

from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def batch_of(network: nn.Module, crop: NDArray[np.float32]) -> Tensor:
    """Return a crop (channels, D, H, W) as a batch of one on the network's device.

    Raises
    ------
    ValueError
        If the network is in training mode: dropout would answer another question every time.
    """
    if network.training:
        raise ValueError("the network is in training mode; call eval() first")
    device = next(network.parameters()).device
    return torch.from_numpy(np.ascontiguousarray(crop)).to(device)[None]


@contextmanager
def weights_frozen(network: nn.Module) -> Generator[None]:
    """Ask for gradients of the input alone; the weights' flags are as before afterwards.

    A Swin's position tables have a gradient that takes nearly as long as all the rest.
    """
    trainable = [weights for weights in network.parameters() if weights.requires_grad]
    for weights in trainable:
        weights.requires_grad = False
    try:
        yield
    finally:
        for weights in trainable:
            weights.requires_grad_()
