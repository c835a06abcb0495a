"""AdamW for stacks: each member with its own learning rate and weight decay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import cos, pi

import torch
from torch import Tensor
from torch.optim.adamw import adamw

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
    first, second
        Moments by name, of the shapes of the weights.
    steps
        Updates made.
    """

    rates: tuple[Rate, ...]
    first: Tensors
    second: Tensors
    steps: int = 0

    def among(self, places: Tensor) -> "StackedAdamW":
        """Return the optimiser of some of the members."""
        return replace(
            self,
            rates=tuple(self.rates[place] for place in places.tolist()),
            first={name: moment[places] for name, moment in self.first.items()},
            second={name: moment[places] for name, moment in self.second.items()},
        )

    @torch.no_grad()
    def update(self, weights: Tensors, gradients: Tensors, epoch: int) -> None:
        """Change the weights in place.

        Parameters
        ----------
        weights, gradients
            By name, first axis the members.
        """
        self.steps += 1
        # A kernel that walks along memory would take a transposed gradient for another one.
        gradients = {name: gradient.contiguous() for name, gradient in gradients.items()}
        fused = next(iter(weights.values())).device.type == "cpu"
        (self._fused if fused else self._elementwise)(weights, gradients, epoch)

    def _fused(self, weights: Tensors, gradients: Tensors, epoch: int) -> None:
        """One call per run of equal rates: a GPU would wait for the launches of many runs."""
        for rate, members in _runs(self.rates):
            adamw(
                [weight[members] for weight in weights.values()],
                [gradient[members] for gradient in gradients.values()],
                [moment[members] for moment in self.first.values()],
                [moment[members] for moment in self.second.values()],
                [],
                [torch.tensor(float(self.steps - 1)) for _ in weights],
                fused=True,
                amsgrad=False,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                lr=rate.at(epoch),
                weight_decay=rate.weight_decay,
                eps=_EPSILON,
                maximize=False,
            )

    def _elementwise(self, weights: Tensors, gradients: Tensors, epoch: int) -> None:
        """All members in one go, the rates spread over them."""
        beta1, beta2 = _BETAS
        correction = (1 - beta2**self.steps) ** 0.5
        like = next(iter(weights.values()))
        rates = _spread([rate.at(epoch) for rate in self.rates], like)
        kept = 1 - rates * _spread([rate.weight_decay for rate in self.rates], like)
        strides = rates * correction / (1 - beta1**self.steps)
        for name, weight in weights.items():
            gradient, second = gradients[name], self.second[name]
            weight.mul_(kept)
            first = self.first[name].lerp_(gradient, 1 - beta1)
            second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            weight.sub_((first / second.sqrt().add_(_EPSILON * correction)).mul_(strides))


def stacked_adamw(rates: Sequence[Rate], weights: Tensors) -> StackedAdamW:
    """Return an optimiser that has not seen a gradient."""
    return StackedAdamW(
        rates=tuple(rates),
        first={name: torch.zeros_like(weight) for name, weight in weights.items()},
        second={name: torch.zeros_like(weight) for name, weight in weights.items()},
    )


def _runs(rates: Sequence[Rate]) -> Iterator[tuple[Rate, slice]]:
    """Return each run of members with equal rates."""
    start = 0
    for rate, run in groupby(rates):
        stop = start + len(list(run))
        yield rate, slice(start, stop)
        start = stop


def _spread(values: Sequence[float], like: Tensor) -> Tensor:
    """Return one number per member, shape (members, 1, 1)."""
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)
