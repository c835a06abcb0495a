"""AdamW for stacks: each member with its own learning rate and weight decay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import cos, pi

import torch
from torch import Tensor

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Rate:
    """Learning rate, weight decay, and the epochs over which the rate falls."""

    learning_rate: float
    weight_decay: float
    epochs: int

    def at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0.

        Examples
        --------
        >>> [round(Rate(1.0, 0.0, 4).at(epoch), 3) for epoch in range(4)]
        [1.0, 0.854, 0.5, 0.146]
        """
        return self.learning_rate * (1 + cos(pi * epoch / self.epochs)) / 2


@dataclass(kw_only=True)
class StackedAdamW:
    """Moments of a stack, and its updates.

    Parameters
    ----------
    rates
        One per member. Neighbours with equal rates are updated by one call of the fused kernel
        of the CPU, so put them side by side.
    weights
        By name, first axis the members; they are changed in place.
    first, second
        Moments by name, of the shapes of the weights.
    steps
        Updates made.
    """

    rates: tuple[Rate, ...]
    weights: Tensors
    first: Tensors
    second: Tensors
    steps: int = 0

    def among(self, places: Tensor, weights: Tensors) -> "StackedAdamW":
        """Return the optimiser of some of the members, whose weights are these."""
        return replace(
            self,
            rates=tuple(self.rates[place] for place in places.tolist()),
            weights=weights,
            first={name: moment[places] for name, moment in self.first.items()},
            second={name: moment[places] for name, moment in self.second.items()},
        )

    @torch.no_grad()
    def update(self, gradients: Tensors, epoch: int) -> None:
        """Change the weights.

        Parameters
        ----------
        gradients
            By name, of the shapes of the weights.
        """
        self.steps += 1
        # A kernel that walks along memory would take a transposed gradient for another one.
        gradients = {name: gradients[name].contiguous() for name in self.weights}
        fused = next(iter(self.weights.values())).device.type == "cpu"
        (self._fused if fused else self._elementwise)(gradients, epoch)

    def _fused(self, gradients: Tensors, epoch: int) -> None:
        """One call per run of equal rates: a GPU would wait for the launches of many runs."""
        steps = [torch.tensor(float(self.steps))] * len(gradients)
        slopes = _by_run(self._runs, gradients)
        for (rate, _), own, slope in zip(self._runs, self._updated, slopes, strict=True):
            # What `torch.optim.AdamW(fused=True)` calls; its own step costs as much again.
            torch._fused_adamw_(
                own[0],
                slope,
                own[1],
                own[2],
                [],
                steps,
                amsgrad=False,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                lr=rate.at(epoch),
                weight_decay=rate.weight_decay,
                eps=_EPSILON,
                maximize=False,
            )

    @cached_property
    def _runs(self) -> list[tuple[Rate, int]]:
        """Each run of neighbours with equal rates, and how many they are."""
        return [(rate, len(list(run))) for rate, run in groupby(self.rates)]

    @cached_property
    def _updated(self) -> list[tuple[list[Tensor], ...]]:
        """Weights and moments of each run, as views."""
        tables = (self.weights, self.first, self.second)
        return list(zip(*(_by_run(self._runs, table) for table in tables), strict=True))

    def _elementwise(self, gradients: Tensors, epoch: int) -> None:
        """All members in one go, the rates spread over them."""
        beta1, beta2 = _BETAS
        correction = (1 - beta2**self.steps) ** 0.5
        like = next(iter(self.weights.values()))
        rates = _spread([rate.at(epoch) for rate in self.rates], like)
        kept = 1 - rates * _spread([rate.weight_decay for rate in self.rates], like)
        strides = rates * correction / (1 - beta1**self.steps)
        for name, weight in self.weights.items():
            gradient, second = gradients[name], self.second[name]
            weight.mul_(kept)
            first = self.first[name].lerp_(gradient, 1 - beta1)
            second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            weight.sub_((first / second.sqrt().add_(_EPSILON * correction)).mul_(strides))


def stacked_adamw(rates: Sequence[Rate], weights: Tensors) -> StackedAdamW:
    """Return an optimiser that has not seen a gradient."""
    return StackedAdamW(
        rates=tuple(rates),
        weights=weights,
        first={name: torch.zeros_like(weight) for name, weight in weights.items()},
        second={name: torch.zeros_like(weight) for name, weight in weights.items()},
    )


def _by_run(runs: Sequence[tuple[Rate, int]], table: Tensors) -> list[list[Tensor]]:
    """Return views of the tensors of a table, the members of each run by themselves."""
    sizes = [size for _, size in runs]
    parts = [torch.split(each.detach(), sizes) for each in table.values()]
    return [list(own) for own in zip(*parts, strict=True)]


def _spread(values: Sequence[float], like: Tensor) -> Tensor:
    """Return one number per member, shape (members, 1, 1)."""
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)
