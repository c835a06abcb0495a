"""Trials of a study of fusion heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from optuna.trial import Trial

from hnmets.tuning.curves import save_curves
from hnmets.tuning.head_search import HeadSearch, Tried
from hnmets.tuning.part import load_part
from hnmets.tuning.plan import HeadPlan, part_file
from hnmets.tuning.worker import Told

# Trials that are asked for together, and heads in one stack: beyond, the caches of a core and
# the memory of a GPU are full, and a batch learns less from those before it.
TRIALS = {"cpu": 16, "cuda": 256}
_HEADS = {"cpu": 80, "cuda": 1280}
AUCS = "aucs"


@dataclass(frozen=True, kw_only=True)
class HeadTries:
    """Tries heads on the inner folds of one study; see `Tries`.

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
    plan: HeadPlan
    study: str
    device: str

    @property
    def at_once(self) -> int:
        """Trials that serve the device best together."""
        return TRIALS[self.device]

    def try_out(self, trials: Sequence[Trial]) -> list[Told]:
        """Train and score the heads that the trials choose."""
        if not trials:
            return []
        chosen = [self.plan.configuration(trial) for trial in trials]

        def ends(place: int, epoch: int, value: float) -> bool:
            trials[place].report(value, epoch)
            return trials[place].should_prune()

        tried = self._search.tried(chosen, on_rung=ends)
        for trial, each in zip(trials, tried, strict=True):
            save_curves(self.folder, self.study, trial.number, each.curves)
        return [_told(each) for each in tried]

    @cached_property
    def _search(self) -> HeadSearch:
        folds = range(self.plan.studies[self.study])
        return HeadSearch(
            parts=[load_part(part_file(self.folder, self.study, fold)) for fold in folds],
            seed=self.plan.seed,
            rungs=self.plan.rungs,
            device=self.device,
            at_once=_HEADS[self.device],
        )


def _told(tried: Tried) -> Told:
    if tried.failure:
        return Told(value=None, reason=tried.failure, attributes={})
    return Told(
        value=tried.value,
        ended_early=tried.ended_at > 0,
        attributes={
            AUCS: list(tried.aucs),
            "epochs": [len(curve) for curve in tried.curves],
            "chosen_epochs": [int(np.argmin(curve)) + 1 for curve in tried.curves],
        },
    )
