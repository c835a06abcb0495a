"""A stack of fusion heads in training."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hnmets.models.head_batches import all_rows, epoch_batches, rows_of_a_step
from hnmets.models.head_data import StackData, stack_data
from hnmets.models.head_dropout import Dropout, dropout_of
from hnmets.models.head_forward import logits
from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_loss import losses
from hnmets.models.head_member import Member, Trained, class_weights
from hnmets.models.head_optimiser import Rate, StackedAdamW, stacked_adamw
from hnmets.models.head_padding import common_layout, rows_in
from hnmets.models.head_sparsity import Sparsity, sparsity_of
from hnmets.models.head_start import initial_weights

Tensors = dict[str, Tensor]
# Members whose choosing rows a CPU scores at once: the units of all fill its caches many times.
_SCORED_AT_ONCE = 10


@dataclass(kw_only=True)
class Stack:
    """Everything that changes in training; first axis of every array: the members.

    Parameters
    ----------
    layout
        Holds the layouts of all members.
    places
        Of the members among those that the stack was started with.
    fitting
        Rows to learn from.
    memory
        Shape (members · rows of a step, columns): where batches are gathered.
    choosing
        Inputs, events and weights of the rows to stop by, as `StackData.batch` returns them.
    class_weight
        Shape (members, 2).
    gamma
        Shape (members, 1).
    best
        Weights of the lowest loss so far.
    curve
        float64, shape (members, epochs): loss of the choosing rows.
    running
        bool, shape (members,): whether it is still in training.
    """

    members: tuple[Member, ...]
    layout: HeadLayout
    places: tuple[int, ...]
    fitting: StackData
    memory: Tensor
    choosing: tuple[Tensor, Tensor, Tensor]
    class_weight: Tensor
    gamma: Tensor
    best: Tensors
    optimiser: StackedAdamW
    dropout: Dropout | None
    sparsity: Sparsity | None
    curve: NDArray[np.float64]
    running: NDArray[np.bool_]

    @property
    def weights(self) -> Tensors:
        """As they are now, by name."""
        return self.optimiser.weights

    def learn(self, epoch: int) -> None:
        """Take the steps of one epoch, counted from 0, and note the loss of the choosing rows."""
        batches = torch.from_numpy(epoch_batches(self.members, epoch)).to(self.gamma.device)
        seen = torch.stack([self._step(batch, epoch) for batch in batches])
        # A loss that was not finite on the way shall be seen, whatever came after it.
        found = self._choosing_losses() + 0 * seen.sum(dim=0)
        lowest = np.fmin.reduce(self.curve, axis=1, initial=np.inf)
        self.curve = np.column_stack([self.curve, found.double().cpu().numpy()])
        improved = torch.from_numpy(self.curve[:, -1] < lowest).to(self.gamma.device)
        for name, weight in self.weights.items():
            self.best[name][improved] = weight.detach()[improved]

    def ended_after(self, epochs: int) -> dict[int, Trained]:
        """Return the members, by place, whose training ends with this epoch."""
        ended = {}
        for row, member in enumerate(self.members):
            curve = self.curve[row]
            diverged = not np.isfinite(curve).all()
            waited = 0 if diverged else epochs - 1 - int(np.argmin(curve))
            spent = epochs >= member.parameters.epochs or waited >= member.parameters.patience
            if self.running[row] and (diverged or spent):
                self.running[row] = False
                ended[self.places[row]] = self._trained(row)
        return ended

    def so_far(self) -> dict[int, Trained]:
        """Return the members that are still in training, by place, as they are now."""
        return {
            self.places[row]: self._trained(row) for row in np.flatnonzero(self.running).tolist()
        }

    def stop(self, places: Collection[int]) -> None:
        """End the training of members that nobody waits for."""
        self.running &= ~np.isin(self.places, list(places))

    def _trained(self, row: int) -> Trained:
        """Return what one member has become, without what filled it up."""
        curve = self.curve[row]
        weights = {name: best[row].cpu().numpy() for name, best in self.best.items()}
        for name, rows in rows_in(self.members[row].layout, self.layout).items():
            weights[f"{name}.weight"] = weights[f"{name}.weight"][rows]
        return Trained(
            weights={name: weight.copy() for name, weight in weights.items()},
            losses=curve.copy(),
            diverged=not np.isfinite(curve).all(),
        )

    def still_running(self) -> "Stack":
        """Return the stack without the members whose training has ended."""
        rows = np.flatnonzero(self.running)
        kept = torch.from_numpy(rows).to(self.gamma.device)
        inputs, events, weights = self.choosing
        own = {n: w.detach()[kept].requires_grad_() for n, w in self.weights.items()}
        return replace(
            self,
            members=tuple(self.members[row] for row in rows),
            places=tuple(self.places[row] for row in rows),
            fitting=self.fitting.among(kept),
            choosing=(inputs[kept], events[kept], weights[kept]),
            class_weight=self.class_weight[kept],
            gamma=self.gamma[kept],
            best={name: best[kept] for name, best in self.best.items()},
            optimiser=self.optimiser.among(kept, own),
            dropout=None if self.dropout is None else self.dropout.among(kept),
            sparsity=None if self.sparsity is None else self.sparsity.among(kept),
            curve=self.curve[rows],
            running=self.running[rows],
        )

    def _step(self, places: Tensor, epoch: int) -> Tensor:
        """Learn from one batch of each member; return the losses before it, shape (members,)."""
        inputs, events, weights = self.fitting.batch(places, self.class_weight, out=self.memory)
        factors = None
        if self.dropout is not None:
            factors = self.dropout.factors(
                self.optimiser.steps, rows=places.shape[1], units=sum(self.layout.dropped)
            )
        found = losses(
            logits(self.weights, inputs, self.layout, factors), events, weights, self.gamma
        )
        gradients = torch.autograd.grad(found.sum(), list(self.weights.values()))
        self.optimiser.update(dict(zip(self.weights, gradients, strict=True)), epoch)
        if self.sparsity is not None:
            self.sparsity.shrink(self.weights, [r.at(epoch) for r in self.optimiser.rates])
        return found.detach()

    @torch.no_grad()
    def _choosing_losses(self) -> Tensor:
        inputs, events, weights = self.choosing
        most = _SCORED_AT_ONCE if inputs.device.type == "cpu" else len(inputs)
        found = []
        for first in range(0, len(inputs), most):
            part = slice(first, first + most)
            own = {name: weight[part] for name, weight in self.weights.items()}
            scores = logits(own, inputs[part], self.layout)
            found.append(losses(scores, events[part], weights[part], self.gamma[part]))
        return torch.cat(found)


def start(members: Sequence[Member], device: torch.device) -> Stack:
    """Return the stack of members of one kind before the first step."""
    layouts = [member.layout for member in members]
    layout = common_layout(layouts)
    parameters = [member.parameters for member in members]
    seeds = [member.seed for member in members]
    weights = initial_weights(layouts, seeds, device)
    by_class = [class_weights(m.fitting.outcome, m.parameters.weighting) for m in members]
    class_weight = torch.tensor(by_class, device=device)
    rates = [Rate(p.learning_rate, p.weight_decay, p.epochs) for p in parameters]
    rows = len(members) * rows_of_a_step(members)
    return Stack(
        members=tuple(members),
        layout=layout,
        places=tuple(range(len(members))),
        fitting=stack_data([member.fitting for member in members], layouts, device),
        memory=torch.empty((rows, layout.columns), device=device),
        choosing=_choosing(members, class_weight),
        class_weight=class_weight,
        gamma=torch.tensor([[p.gamma] for p in parameters], device=device),
        best={name: weight.detach().clone() for name, weight in weights.items()},
        optimiser=stacked_adamw(rates, weights),
        dropout=dropout_of(seeds, [p.dropout for p in parameters], device),
        sparsity=sparsity_of(members, device),
        curve=np.empty((len(members), 0)),
        running=np.ones(len(members), dtype=bool),
    )


def _choosing(members: Sequence[Member], class_weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    tables = [member.choosing for member in members]
    places = torch.from_numpy(all_rows([len(table.outcome) for table in tables]))
    data = stack_data(tables, [member.layout for member in members], class_weight.device)
    return data.batch(places.to(class_weight.device), class_weight)
