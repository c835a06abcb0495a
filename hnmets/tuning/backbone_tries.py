"""Trials of a study of backbones: one network at a time, halved over the epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from optuna.trial import Trial

from hnmets.domain.errors import HnmetsError
from hnmets.models.backbone.cases import TrainingCases
from hnmets.models.backbone.crops import Crops
from hnmets.models.backbone.result import Epoch, TrainedBackbone
from hnmets.models.backbone.scoring import log_odds
from hnmets.models.backbone.training import train
from hnmets.models.roc_area import auc
from hnmets.networks.backbones import encoder_of, with_contrast
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin import SwinEncoder
from hnmets.tuning.backbone_space import BackboneConfiguration
from hnmets.tuning.crop_file import Roles, load_crops, load_roles
from hnmets.tuning.curves import save_curves
from hnmets.tuning.head_tries import AUCS
from hnmets.tuning.plan import BackbonePlan, part_file
from hnmets.tuning.worker import Told


class _EndedError(Exception):
    """The trial is not worth going on with."""


@dataclass(frozen=True, kw_only=True)
class BackboneTries:
    """Tries backbones on the inner fold of one study; see `Tries`.

    Parameters
    ----------
    folder
        Of the search.
    study
        Name of the study.
    device
        `cpu` or `cuda`.
    """

    folder: Path
    plan: BackbonePlan
    study: str
    device: str

    @property
    def at_once(self) -> int:
        """A network fills the device by itself."""
        return 1

    def try_out(self, trials: Sequence[Trial]) -> list[Told]:
        """Train and score the network that each trial chooses."""
        return [self._tried(trial) for trial in trials]

    def _tried(self, trial: Trial) -> Told:
        checkpoint = self._checkpoint(trial.number)
        told = self._told(trial, checkpoint)
        # Only now: a training that a second signal has ended goes on from it.
        checkpoint.unlink(missing_ok=True)
        return told

    def _told(self, trial: Trial, checkpoint: Path) -> Told:
        chosen = self.plan.configuration(trial)
        try:
            trained = self._trained(trial, chosen, checkpoint)
        except _EndedError:
            reported = self._reported(trial)
            return Told(value=reported[max(reported)], ended_early=True, attributes={})
        except HnmetsError as error:
            return Told(value=None, reason=str(error), attributes={})
        losses = np.array([epoch.inner_loss for epoch in trained.epochs])
        save_curves(self.folder, self.study, trial.number, [losses])
        value = self._scored(trained, chosen)
        return Told(
            value=value,
            reason="the scored part has one class alone" if value is None else "",
            attributes={
                AUCS: [value],
                "epochs": [len(trained.epochs)],
                "chosen_epochs": [trained.chosen],
                "resumed_after": trained.resumed_after,
            },
        )

    def _trained(
        self, trial: Trial, chosen: BackboneConfiguration, checkpoint: Path
    ) -> TrainedBackbone:
        """Train, and ask after each epoch whether to go on; a killed training goes on."""
        crops, outcome = self._shown(chosen)

        def after(epochs: Sequence[Epoch]) -> None:
            # A kill may come before what the checkpoint holds was reported, or after.
            if len(epochs) not in self._reported(trial):
                aucs = (0.5 if each.inner_auc is None else each.inner_auc for each in epochs)
                trial.report(max(aucs), len(epochs))
            if len(epochs) in self.plan.rungs and trial.should_prune():
                raise _EndedError

        return train(
            TrainingCases(
                crops=crops,
                outcome=outcome,
                fitting=self._roles.fitting,
                stopping=self._roles.stopping,
            ),
            encoder_for(chosen, self.plan),
            chosen.training,
            on_epoch=after,
            checkpoint=checkpoint,
        )

    def _scored(self, trained: TrainedBackbone, chosen: BackboneConfiguration) -> float | None:
        crops, outcome = self._shown(chosen)
        scores = scores_of(trained, crops, self._roles.scored)
        return auc(scores, outcome[self._roles.scored])

    def _shown(self, chosen: BackboneConfiguration) -> tuple[Crops, NDArray[np.bool_]]:
        """Return what the chosen network may see of each case, and the outcomes."""
        crops, outcome = _crops(self.folder, self.device)
        return replace(crops, variant=chosen.training.variant), outcome

    def _reported(self, trial: Trial) -> Mapping[int, float]:
        """Return the highest inner AUC that was reported after each epoch."""
        return trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values

    def _checkpoint(self, number: int) -> Path:
        place = self.folder / "checkpoints" / self.study
        place.mkdir(parents=True, exist_ok=True)
        return place / f"{number}.safetensors"

    @cached_property
    def _roles(self) -> Roles:
        return load_roles(part_file(self.folder, self.study, 0))


def encoder_for(chosen: BackboneConfiguration, plan: BackbonePlan) -> Encoder:
    """Return the untrained network of a configuration, as a training of the study starts it."""
    encoder = encoder_of(
        chosen.backbone, chosen.architecture, merging=plan.merging, seed=chosen.init
    )
    return with_contrast(encoder) if isinstance(encoder, SwinEncoder) else encoder


def scores_of(
    trained: TrainedBackbone, crops: Crops, places: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the log odds of some cases, float32, shape (cases,)."""
    cases = torch.from_numpy(places).to(crops.device)
    found: NDArray[np.float32] = (
        log_odds(trained.classifier, crops, cases, at_once=trained.at_once).cpu().numpy()
    )
    return found


# The studies of a worker share them.
@lru_cache(maxsize=1)
def _crops(folder: Path, device: str) -> tuple[Crops, NDArray[np.bool_]]:
    return load_crops(folder, device)
