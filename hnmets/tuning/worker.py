"""One process at work on a search: takes trials, tries them together, tells what came of them."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import optuna
from optuna import Study
from optuna.exceptions import UpdateFinishedTrialError
from optuna.pruners import BasePruner, NopPruner
from optuna.storages import BaseStorage
from optuna.trial import Trial, TrialState

from hnmets.tuning.lease import Attendance
from hnmets.tuning.queue import REASON, Queue

_LOG = logging.getLogger(__name__)
_PAUSE_S = 2.0
BOARD = "workers"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is told of a trial.

    Parameters
    ----------
    value
        None where it failed.
    ended_early
        Whether it was ended before its time; its value is then the last one that was seen.
    attributes
        What else is worth keeping: numbers, texts and lists of them.
    """

    value: float | None
    ended_early: bool = False
    reason: str = ""
    attributes: Mapping[str, object]


class Tries(Protocol):
    """What tries the trials of a study."""

    @property
    def at_once(self) -> int:
        """Trials that serve it best together."""
        ...

    def try_out(self, trials: Sequence[Trial]) -> Sequence[Told]:
        """Ask each trial for its settings, try them, and return what is to be told of each."""
        ...


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Works on all studies of a search until they have ended.

    Parameters
    ----------
    name
        Of the search.
    studies
        Their names, in the order in which they are worked on.
    planned
        Trials of each.
    seed
        Of the samplers.
    tries
        Returns what tries the trials of a study.
    stop
        Asked before each batch whether to end here.
    pruner
        What ends trials early.
    """

    name: str
    studies: Sequence[str]
    planned: int
    seed: int
    storage: BaseStorage
    tries: Callable[[str], Tries]
    stop: Callable[[], bool]
    pruner: BasePruner | None = None

    def work(self) -> bool:
        """Work until every study has ended, or until told to stop; return whether all have."""
        board = open_study(self.storage, self.name, BOARD)
        with Attendance(board=board) as attendance:
            queues = {study: self._queue(study, attendance) for study in self.studies}
            tries: dict[str, Tries] = {}
            while unfinished := [study for study, queue in queues.items() if queue.open()]:
                if self.stop():
                    return False
                # In turn, so that an early end finds all studies equally far.
                busy = [self._batch(study, queues[study], tries) for study in unfinished]
                if not any(busy):
                    time.sleep(_PAUSE_S)
        return True

    def _batch(self, name: str, queue: Queue, tries: dict[str, Tries]) -> bool:
        """Try some of what waits in a study; return whether there was anything."""
        if self.stop():
            return True
        queue.recover()
        if name not in tries:
            tries[name] = self.tries(name)
        taken = queue.take(tries[name].at_once)
        try:
            tried = tries[name].try_out(taken)
        except UpdateFinishedTrialError as error:
            # This worker was silent for so long that others took over.
            _LOG.warning("a batch was taken over by another worker: %s", error)
            queue.give_back(taken)
            return True
        for trial, told in zip(taken, tried, strict=True):
            _tell(queue.study, trial, told)
        return bool(taken)

    def _queue(self, name: str, attendance: Attendance) -> Queue:
        return Queue(
            study=open_study(self.storage, self.name, name, self.pruner),
            storage=self.storage,
            planned=self.planned,
            seed=self.seed,
            attendance=attendance,
        )


def open_study(
    storage: BaseStorage, search: str, name: str, pruner: BasePruner | None = None
) -> Study:
    """Open a study of a search; it is made where it is not there yet.

    Parameters
    ----------
    pruner
        What ends trials early; nothing does by default.
    """
    return optuna.create_study(
        study_name=f"{search}/{name}",
        storage=storage,
        direction="maximize",
        load_if_exists=True,
        pruner=pruner or NopPruner(),
    )


def _tell(study: Study, trial: Trial, told: Told) -> None:
    """Tell once; what another worker has told in the meantime, or will tell, stands."""
    try:
        for name, value in told.attributes.items():
            trial.set_user_attr(name, value)
        if told.value is None or not np.isfinite(told.value):
            trial.set_user_attr(REASON, told.reason or "its value was not finite")
            study.tell(trial, state=TrialState.FAIL)
        elif told.ended_early:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, told.value)
    except (UpdateFinishedTrialError, ValueError) as error:
        if study.get_trials(deepcopy=False)[trial.number].state == TrialState.RUNNING:
            raise
        _LOG.warning("trial %d was taken over by another worker: %s", trial.number, error)
