"""Integrated gradients: how much each voxel adds to the log odds, and whether it adds up."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hnmets.explanation.asking import batch_of, weights_frozen

# Gauss-Legendre with 2 points per interval: exact up to cubic gradients along the path.
_NODES = (0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5)
_FIRST_INTERVALS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegratedGradients:
    """What each voxel adds to the log odds on the way from a baseline.

    Parameters
    ----------
    attributions
        float64, the shape of the input: (channels, D, H, W), log odds.
    log_odds, baseline_log_odds
        Of the input and of the baseline.
    gradients
        Gradients that it took.
    """

    attributions: NDArray[np.float64]
    log_odds: float
    baseline_log_odds: float
    gradients: int

    @property
    def completeness_error(self) -> float:
        """How far the sum misses the difference of the log odds, relative to it."""
        difference = self.log_odds - self.baseline_log_odds
        miss = abs(float(self.attributions.sum()) - difference)
        # Without a difference there is nothing to be relative to.
        return miss / abs(difference) if difference else miss


@dataclass(frozen=True, kw_only=True, eq=False)
class _Interval:
    """A part of the path and the gradients that were summed over it.

    Parameters
    ----------
    gradient
        float64, mean gradient times length.
    miss
        Its contribution minus the difference of the log odds at both ends, which is exact.
    """

    low: float
    high: float
    gradient: Tensor
    miss: float


def air(crop: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the baseline: the crop with air for tissue and the masks as they are.

    The question is what the CT says. Masks that vanish on the way would ask what contouring
    says as well, through inputs that no training has seen.

    Parameters
    ----------
    crop
        float32 (channels, D, H, W): CT window, then masks.
    """
    baseline = crop.copy()
    baseline[0] = 0.0
    return baseline


def integrated_gradients(
    network: nn.Module,
    crop: NDArray[np.float32],
    *,
    baseline: NDArray[np.float32],
    tolerance: float = 0.005,
    most_gradients: int = 256,
) -> IntegratedGradients:
    """Integrate the gradient of the log odds along the straight line from a baseline.

    The log odds at both ends of any part of the line tell what its attributions have to add up
    to. Parts that miss it most are halved until the whole fits, or the gradients are used up:
    a network turns most where the first tissue appears.

    Parameters
    ----------
    network
        In evaluation mode; takes (B, channels, D, H, W), gives log odds (B,).
    crop, baseline
        float32 (channels, D, H, W). Where both are the same, as in air, nothing is attributed.
    tolerance
        Largest sum of all parts' misses, relative to the difference of the log odds.
    most_gradients
        Where it stops in any case; `completeness_error` then says how well.

    References
    ----------
    Sundararajan et al. 2017, arXiv 1703.01365; Sturmfels et al. 2020, doi:10.23915/distill.00022
    (what a baseline hides).
    """
    path = _Path(network, crop, baseline)
    edges = np.linspace(0, 1, _FIRST_INTERVALS + 1).tolist()
    parts = [path.interval(*ends) for ends in pairwise(edges)]
    wanted = tolerance * abs(path.log_odds(1.0) - path.log_odds(0.0))
    while (
        sum(abs(part.miss) for part in parts) > wanted
        and path.gradients + 2 * len(_NODES) <= most_gradients
    ):
        worst = max(parts, key=lambda part: abs(part.miss))
        parts.remove(worst)
        middle = (worst.low + worst.high) / 2
        parts += [path.interval(worst.low, middle), path.interval(middle, worst.high)]
    total = torch.stack([part.gradient for part in parts]).sum(dim=0)
    return IntegratedGradients(
        attributions=(total * path.step.double()).cpu().numpy(),
        log_odds=path.log_odds(1.0),
        baseline_log_odds=path.log_odds(0.0),
        gradients=path.gradients,
    )


class _Path:
    """The straight line from baseline (0) to crop (1), and what was asked along it."""

    def __init__(
        self, network: nn.Module, crop: NDArray[np.float32], baseline: NDArray[np.float32]
    ) -> None:
        self._network = network
        (self._start,) = batch_of(network, baseline)
        self.step = batch_of(network, crop)[0] - self._start
        self._known: dict[float, float] = {}
        self.gradients = 0

    def log_odds(self, at: float) -> float:
        if at not in self._known:
            with torch.no_grad():
                self._known[at] = float(self._network(self._points([at]))[0])
        return self._known[at]

    def interval(self, low: float, high: float) -> _Interval:
        points = self._points([low + node * (high - low) for node in _NODES]).requires_grad_()
        with weights_frozen(self._network):
            (found,) = torch.autograd.grad(self._network(points).sum(), points)
        self.gradients += len(_NODES)
        gradient = found.double().mean(dim=0) * (high - low)
        gained = float((gradient * self.step).sum())
        return _Interval(
            low=low,
            high=high,
            gradient=gradient,
            miss=gained - (self.log_odds(high) - self.log_odds(low)),
        )

    def _points(self, at: list[float]) -> Tensor:
        shares = torch.tensor(at, dtype=self._start.dtype, device=self._start.device)
        points: Tensor = self._start + shares[:, None, None, None, None] * self.step
        return points
