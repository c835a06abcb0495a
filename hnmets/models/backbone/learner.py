"""A classifier in training: its weights, their average and their optimiser."""

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hnmets.models.backbone.augmentation import drawn_placement, with_noise
from hnmets.models.backbone.average import Average
from hnmets.models.backbone.batches import FEWEST, batches
from hnmets.models.backbone.cases import TrainingCases
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.backbone.schedule import rate_share
from hnmets.models.errors import TrainingMemoryError
from hnmets.models.head_member import class_weights
from hnmets.models.memory import is_out_of_memory
from hnmets.networks.classifier import Classifier
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import SwinEncoder

_log = logging.getLogger(__name__)


class Learner:
    """What one epoch changes.

    Parameters
    ----------
    encoder
        Where the training starts; it is copied.

    Attributes
    ----------
    classifier
        Being trained.
    average
        Its averaged weights.
    at_once
        Most cases that go through the network together.
    """

    def __init__(
        self, cases: TrainingCases, encoder: Encoder, parameters: BackboneParameters
    ) -> None:
        self._parameters = parameters
        self._crops = cases.crops
        device = cases.crops.device
        outcome = cases.outcome[cases.fitting]
        without, having = class_weights(outcome, parameters.weighting)
        prevalence = having * float(outcome.sum()) / len(outcome)
        self._outcome = torch.from_numpy(cases.outcome).to(device, torch.float32)
        self._weights = torch.where(self._outcome > 0, having, without)
        self._fitting = torch.from_numpy(cases.fitting).to(device)
        # The head draws weights before it zeroes them.
        with torch.random.fork_rng(devices=[]):
            self.classifier = Classifier(
                self._network(encoder), prevalence=prevalence, dropout=parameters.dropout
            ).to(device)
        # Two sizes of batch at most: a graph for each is faster than one for all.
        self._forward: nn.Module = (
            torch.compile(self.classifier, dynamic=False)  # type: ignore[assignment] # a module stays one
            if parameters.compiled
            else self.classifier
        )
        self.average = Average(self.classifier, decay=parameters.average_decay)
        self.optimiser = torch.optim.AdamW(
            [weight for weight in self.classifier.parameters() if weight.requires_grad],
            lr=parameters.learning_rate,
            weight_decay=parameters.weight_decay,
            fused=True,
        )
        self._batches = batches(len(outcome), most=parameters.batch_size)
        self.at_once = max(batch.stop - batch.start for batch in self._batches)

    @property
    def device(self) -> torch.device:
        """Where the training runs."""
        return self._crops.device

    def learn(self, epoch: int) -> Tensor:
        """Run one epoch, counted from 0; return its mean loss.

        All that is drawn depends on the seed and the epoch alone, so that a training can be
        taken up again after any of them.
        """
        self.classifier.train()
        with seeded(self._parameters.seed, epoch, self.device) as generator:
            order = torch.randperm(
                len(self._fitting), generator=generator, device=generator.device
            )
            cases = self._fitting[order]
            losses = [
                self._step(cases[batch], epoch * len(self._batches) + place, generator)
                for place, batch in enumerate(self._batches)
            ]
        return torch.stack(losses).mean()

    def loss(self, logits: Tensor, cases: Tensor) -> Tensor:
        """Return the weighted cross-entropy of each case: (cases,)."""
        return functional.binary_cross_entropy_with_logits(
            logits.float(), self._outcome[cases], weight=self._weights[cases], reduction="none"
        )

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Run networks in the precision of the training."""
        device, wanted = self.device.type, self._parameters.precision
        half = wanted == "bfloat16" or (wanted == "auto" and device == "cuda")
        with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
            yield

    def _network(self, encoder: Encoder) -> Encoder:
        network = copy.deepcopy(encoder)
        if isinstance(network, SwinEncoder):
            network.lay_out(self._crops.edge)
            if self._parameters.frozen_tables:
                network.freeze_position_tables()
        return network

    def _step(self, cases: Tensor, step: int, generator: torch.Generator) -> Tensor:
        parameters = self._parameters
        steps = parameters.epochs * len(self._batches)
        share = rate_share(step, steps=steps, warm_up=parameters.warm_up)
        for group in self.optimiser.param_groups:
            group["lr"] = parameters.learning_rate * share
        loss = self._gradient(cases, generator)
        nn.utils.clip_grad_norm_(self.classifier.parameters(), parameters.clip)
        self.optimiser.step()
        self.average.update(self.classifier, step=step)
        return loss

    def _gradient(self, cases: Tensor, generator: torch.Generator) -> Tensor:
        """Compute the gradient of a batch, in ever smaller parts until memory suffices."""
        while True:
            self.optimiser.zero_grad(set_to_none=True)
            try:
                return self._gradient_in_parts(cases, generator)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0]
            # Outside of the handler: the traceback would hold the memory that the parts need.
            self._halve(reason)

    def _gradient_in_parts(self, cases: Tensor, generator: torch.Generator) -> Tensor:
        parameters = self._parameters
        placement = drawn_placement(
            parameters.augment, len(cases), edge=self._crops.edge, generator=generator
        )
        total = torch.zeros((), device=cases.device)
        for part in batches(len(cases), most=self.at_once):
            batch = self._crops.batch(cases[part], placement[part])
            if "noise" in parameters.augment:
                batch = with_noise(batch, generator)
            with self.autocast():
                logits = self._forward(batch)
            loss = self.loss(logits, cases[part]).sum() / len(cases)
            torch.autograd.backward(loss)
            total += loss.detach()
        return total

    def _halve(self, reason: str) -> None:
        if self.at_once <= FEWEST:
            raise TrainingMemoryError(self.at_once, self._crops.edge)
        self.at_once = max(FEWEST, self.at_once // 2)
        _log.warning("%s; goes on with %d cases at once", reason, self.at_once)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


@contextmanager
def seeded(seed: int, epoch: int, device: torch.device) -> Iterator[torch.Generator]:
    """Give a generator for an epoch, and seed torch's own, which dropout draws from, for it."""
    own, dropout = np.random.SeedSequence((seed, epoch)).generate_state(2).tolist()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(dropout)
        if device.type == "cuda":
            torch.cuda.manual_seed(dropout)
        yield torch.Generator(device).manual_seed(own)
