"""Whether a map depends on what a network has learned, and finds what is known to be there."""

from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Map = NDArray[np.floating]
Network = TypeVar("Network", bound=nn.Module)


def weight_dependence(
    explain: Callable[[Network], Map], network: Network, *, draws: int = 5, seed: int = 0
) -> float:
    """Return how much of a map is left when the weights are shuffled.

    Parameters
    ----------
    explain
        Gives the map of a network for one crop, with its signs: an absolute map of any network
        is large where the picture is bright.
    draws
        Networks that are made; one alone may resemble by chance, most of all in a coarse map.

    Returns
    -------
    float
        Mean Spearman correlation of the map with those of the shuffled networks, over the voxels
        where either is not 0. Near 0 for a method that listens to the weights, near 1 for one
        that draws the picture's edges (guided backpropagation). NaN where one map is flat.

    References
    ----------
    Adebayo et al. 2018, arXiv 1810.03292.
    """
    found = explain(network)
    others = [explain(shuffled(network, seed=seed + draw)) for draw in range(draws)]
    return float(np.mean([rank_correlation(found, other) for other in others]))


def shuffled(network: Network, *, seed: int) -> Network:
    """Return a copy whose weights are shuffled within every tensor: their sizes stay."""
    copy = deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in copy.parameters():
            order = torch.randperm(weights.numel(), generator=generator)
            weights.copy_(weights.flatten()[order.to(weights.device)].reshape(weights.shape))
    return copy


def rank_correlation(one: Map, other: Map) -> float:
    """Return Spearman's correlation of two maps over the voxels where either is not 0.

    Examples
    --------
    >>> round(rank_correlation(np.array([0.0, 1, 2, 9]), np.array([0.0, 10, 20, 30])), 9)
    1.0
    """
    told = (one != 0) | (other != 0)
    ranks = [_ranks(of[told]) for of in (one, other)]
    spread = [float(np.sqrt((of**2).sum())) for of in ranks]
    if min(spread) == 0:
        return float("nan")
    return float((ranks[0] * ranks[1]).sum() / (spread[0] * spread[1]))


def overlap(attribution: Map, region: NDArray[np.bool_]) -> float:
    """Return the intersection over union of a region with as many of the map's highest voxels."""
    n_voxels = int(region.sum())
    highest = np.zeros(region.size, bool)
    highest[np.argsort(attribution, axis=None, kind="stable")[-n_voxels:]] = True
    found = highest.reshape(region.shape)
    return float((found & region).sum() / (found | region).sum())


def _ranks(values: Map) -> NDArray[np.float64]:
    """Return ranks around their mean; equal values share one."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return np.asarray(ranks - ranks.mean())
