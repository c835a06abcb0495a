"""Try many configurations of a fusion head at once: all trials, all inner folds, as one stack."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_layout import layout_of
from hnmets.models.head_member import Member, Trained
from hnmets.models.head_scores import log_odds
from hnmets.models.memory import is_out_of_memory
from hnmets.models.roc_area import auc
from hnmets.models.stack import Judge, train
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.part import Part, Table

_LOG = logging.getLogger(__name__)

# Of a trial's place in the batch, the epochs that are done and its mean AUC: whether it ends now.
OnRung = Callable[[int, int, float], bool]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """What became of a configuration.

    Parameters
    ----------
    aucs
        Of the scored rows of each inner fold.
    curves
        Loss of the choosing rows after each epoch, of each inner fold.
    failure
        Why it has no value; empty where it has one.
    ended_at
        Epochs after which it was ended before its time; 0 where it was not.
    """

    aucs: tuple[float, ...]
    curves: tuple[NDArray[np.float64], ...]
    failure: str = ""
    ended_at: int = 0

    @property
    def value(self) -> float:
        """Mean AUC over the inner folds."""
        return float(np.mean(self.aucs))


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadSearch:
    """Tries configurations on the inner folds of one study.

    Parameters
    ----------
    seed
        Of the head in the first inner fold; all configurations share seeds, so that they differ
        by what they are and not by their luck.
    rungs
        Epochs after which a trial may be ended.
    device
        `cpu` or `cuda`.
    at_once
        Most heads in one stack.
    """

    parts: Sequence[Part]
    seed: int
    rungs: Collection[int] = ()
    device: str = "cpu"
    at_once: int

    def tried(
        self,
        configurations: Sequence[HeadConfiguration],
        *,
        on_rung: OnRung = lambda _place, _epoch, _value: False,
    ) -> list[Tried]:
        """Train a batch of configurations in every inner fold, and score each.

        Where memory does not suffice, fewer of them are trained at once; one that does not fit
        alone fails, and the others go on.

        Parameters
        ----------
        on_rung
            Asked after each of the rungs, once for each configuration whose folds stand there.
        """
        trials = max(self.at_once // len(self.parts), 1)
        while True:
            batch = self._batch(configurations, on_rung)
            try:
                return self._trained(batch, trials)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0]
            # Outside of the handler: the traceback would hold the memory that is lacking.
            if trials == 1:
                return self._one_by_one(configurations, on_rung, reason)
            trials //= 2
            _LOG.warning("%s; goes on with %d trials at once", reason, trials)

    def _one_by_one(
        self, configurations: Sequence[HeadConfiguration], on_rung: OnRung, reason: str
    ) -> list[Tried]:
        """Find out whom memory does not suffice for."""
        if len(configurations) == 1:
            return [Tried(aucs=(), curves=(), failure=f"out of memory: {reason}")]

        def asking_for(place: int) -> OnRung:
            return lambda _place, epoch, value: on_rung(place, epoch, value)

        return [
            self.tried([each], on_rung=asking_for(place))[0]
            for place, each in enumerate(configurations)
        ]

    def _batch(self, configurations: Sequence[HeadConfiguration], on_rung: OnRung) -> "_Batch":
        return _Batch(
            tables=[[part.table(each) for part in self.parts] for each in configurations],
            configurations=configurations,
            seed=self.seed,
            on_rung=on_rung,
        )

    def _trained(self, batch: "_Batch", trials: int) -> list[Tried]:
        """Train so many trials in one stack; the folds of a trial stand together."""
        trained = train(
            batch.members,
            device=self.device,
            at_once=trials * len(self.parts),
            judge=Judge(epochs=self.rungs, stops=batch.stops),
        )
        return batch.results(trained)


@dataclass(kw_only=True, eq=False)
class _Batch:
    """Configurations in training; member f of trial t stands at t · folds + f.

    Parameters
    ----------
    ended
        Epoch after which a trial was ended, by its place.
    """

    tables: list[list[Table]]
    configurations: Sequence[HeadConfiguration]
    seed: int
    on_rung: OnRung
    ended: dict[int, int] = field(default_factory=dict)

    @property
    def folds(self) -> int:
        return len(self.tables[0])

    @property
    def members(self) -> list[Member]:
        return [
            Member(
                fitting=table.fitting,
                choosing=table.choosing,
                widths=table.widths,
                parameters=configuration.head,
                seed=self.seed + fold,
            )
            for configuration, own in zip(self.configurations, self.tables, strict=True)
            for fold, table in enumerate(own)
        ]

    def stops(self, epoch: int, so_far: Mapping[int, Trained]) -> list[int]:
        """Return the members of trials that are to end; one that lacks a fold goes on."""
        stopped: list[int] = []
        for trial in sorted({place // self.folds for place in so_far} - self.ended.keys()):
            members = range(trial * self.folds, (trial + 1) * self.folds)
            if not all(place in so_far for place in members):
                continue
            own = [so_far[place] for place in members]
            spent = all(len(each.losses) < epoch for each in own)
            if spent or any(each.diverged for each in own):
                continue
            if self.on_rung(trial, epoch, float(np.mean(self._aucs(trial, own)))):
                self.ended[trial] = epoch
                stopped += members
        return stopped

    def results(self, trained: Sequence[Trained]) -> list[Tried]:
        """Return what became of each trial."""
        return [
            self._result(trial, trained[trial * self.folds : (trial + 1) * self.folds])
            for trial in range(len(self.tables))
        ]

    def _result(self, trial: int, own: Sequence[Trained]) -> Tried:
        curves = tuple(each.losses for each in own)
        diverged = [fold for fold, each in enumerate(own, 1) if each.diverged]
        if diverged:
            epochs = len(own[diverged[0] - 1].losses)
            failure = f"the loss of inner fold {diverged[0]} was not finite after epoch {epochs}"
            return Tried(aucs=(), curves=curves, failure=failure)
        return Tried(
            aucs=tuple(self._aucs(trial, own)),
            curves=curves,
            ended_at=self.ended.get(trial, 0),
        )

    def _aucs(self, trial: int, own: Sequence[Trained]) -> list[float]:
        head = self.configurations[trial].head
        found = []
        for table, each in zip(self.tables[trial], own, strict=True):
            layout = layout_of(head, table.widths)
            scores = log_odds(each.weights, table.scored.inputs, layout)
            area = auc(scores, table.scored.outcome)
            if area is None:
                raise ValueError("an inner fold without both classes is no part of a search")
            found.append(area)
        return found
