"""Train a backbone end to end; needs numpy and torch alone, and no data loader.

The crops lie on the device that trains, augmentation and stopping too. On a CPU the same cases,
encoder, settings and number of threads give the same bits, whether or not the training was
killed and taken up again in between.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from hnmets.models.backbone.cases import TrainingCases
from hnmets.models.backbone.checkpoint import identity_of, resume, save_checkpoint
from hnmets.models.backbone.learner import Learner
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.backbone.result import Ending, Epoch, TrainedBackbone, best_of
from hnmets.models.backbone.scoring import log_odds
from hnmets.models.errors import TrainingDivergedError
from hnmets.models.roc_area import auc
from hnmets.networks.encoder import Encoder

_log = logging.getLogger(__name__)


def train(
    cases: TrainingCases,
    encoder: Encoder,
    parameters: BackboneParameters,
    *,
    on_epoch: Callable[[Sequence[Epoch]], None] = lambda _: None,
    checkpoint: Path | None = None,
) -> TrainedBackbone:
    """Train a classifier on top of an encoder, and keep the epoch that the inner part likes best.

    Parameters
    ----------
    encoder
        Where the training starts; it is copied.
    on_epoch
        Called with all epochs so far: after each that is run, once its checkpoint is on the disk,
        and where a training goes on from one.
    checkpoint
        File that is written after each epoch. Where it is there already and of this training,
        the training goes on from it; where it is of another one, it is overwritten.

    Raises
    ------
    TrainingDivergedError
        If a loss was not finite.
    TrainingMemoryError
        If not even two cases fit into memory.
    """
    run = _Run(cases, encoder, parameters, checkpoint)
    if run.epochs:
        on_epoch(run.epochs)
    while (ending := run.ending) is None:
        epoch = run.epoch()
        _log.info("epoch %d: inner loss %.4f", len(run.epochs), epoch.inner_loss)
        on_epoch(run.epochs)
    return run.result(ending)


class _Run:
    """A training between its epochs."""

    def __init__(
        self,
        cases: TrainingCases,
        encoder: Encoder,
        parameters: BackboneParameters,
        checkpoint: Path | None,
    ) -> None:
        self._cases = cases
        self._parameters = parameters
        self._learner = Learner(cases, encoder, parameters)
        self._stopping = torch.from_numpy(cases.stopping).to(cases.crops.device)
        self._checkpoint = checkpoint
        self.epochs: tuple[Epoch, ...] = ()
        self._best: dict[str, Tensor] = {}
        if checkpoint:
            self._identity = identity_of(cases, self._learner, parameters)
            if resumed := resume(checkpoint, self._identity, self._learner):
                self.epochs, self._best = resumed.epochs, resumed.best
                _log.info("goes on after epoch %d of %s", len(self.epochs), checkpoint.name)
        self._resumed_after = len(self.epochs)

    @property
    def ending(self) -> Ending | None:
        """Why no epoch follows, if none does."""
        if len(self.epochs) >= self._parameters.epochs:
            return "all epochs run"
        if (
            self.epochs
            and len(self.epochs) - 1 - best_of(self.epochs) >= self._parameters.patience
        ):
            return "inner loss no longer falls"
        return None

    def epoch(self) -> Epoch:
        """Run the next epoch."""
        started = time.perf_counter()
        train_loss = self._finite(self._learner.learn(len(self.epochs)))
        learnt = time.perf_counter()
        inner_loss, inner_auc = self._inner()
        epoch = Epoch(
            train_loss=train_loss,
            inner_loss=self._finite(inner_loss),
            inner_auc=inner_auc,
            learning_rate=self._learner.optimiser.param_groups[0]["lr"],
            seconds=time.perf_counter() - started,
            crops_per_second=len(self._cases.fitting) / (learnt - started),
        )
        self._take(epoch)
        return epoch

    def result(self, ending: Ending) -> TrainedBackbone:
        """Return the classifier with the weights of the best epoch."""
        classifier = self._learner.average.classifier
        classifier.load_state_dict(self._best)
        return TrainedBackbone(
            classifier=classifier,
            epochs=self.epochs,
            ending=ending,
            at_once=self._learner.at_once,
            resumed_after=self._resumed_after,
        )

    def _inner(self) -> tuple[Tensor, float | None]:
        learner = self._learner
        with learner.autocast():
            scores = log_odds(
                learner.average.classifier,
                self._cases.crops,
                self._stopping,
                at_once=learner.at_once,
            )
        outcome = self._cases.outcome[self._cases.stopping]
        return learner.loss(scores, self._stopping).mean(), auc(scores.cpu().numpy(), outcome)

    def _finite(self, loss: Tensor) -> float:
        value = float(loss)
        if not math.isfinite(value):
            raise TrainingDivergedError(
                "backbone",
                epoch=len(self.epochs) + 1,
                learning_rate=self._parameters.learning_rate,
            )
        return value

    def _take(self, epoch: Epoch) -> None:
        """Remember an epoch, in memory and on the disk."""
        self.epochs = (*self.epochs, epoch)
        if best_of(self.epochs) == len(self.epochs) - 1:
            state = self._learner.average.classifier.state_dict()
            self._best = {name: tensor.clone() for name, tensor in state.items()}
        if self._checkpoint:
            save_checkpoint(
                self._checkpoint,
                self._identity,
                learner=self._learner,
                epochs=self.epochs,
                best=self._best,
            )
