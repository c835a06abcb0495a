"""The trials of a study as a queue: planned once, each tried by one worker, none counted twice."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from optuna import Study
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from hnmets.tuning.choosing import Param
from hnmets.tuning.lease import LEASE, Attendance
from hnmets.tuning.sampling import sampler

WORKER, ATTEMPTS, REASON, OWN = "worker", "attempts", "reason", "own"
MOST_ATTEMPTS = 3
_OPEN = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The trials of one study.

    A planned trial waits in the storage under its number. Who begins it takes it there, which
    the storage lets one alone do. Where two planners add trials at once, those beyond the plan
    are never begun.

    Parameters
    ----------
    planned
        Trials with a number below this are tried.
    seed
        Of what chooses their settings.
    attendance
        Who is at work.
    """

    study: Study
    storage: BaseStorage
    planned: int
    seed: int
    attendance: Attendance

    def open(self) -> list[FrozenTrial]:
        """Return the planned trials that have not ended."""
        trials = self.study.get_trials(deepcopy=False, states=_OPEN)
        return [trial for trial in trials if trial.number < self.planned]

    def take(self, most: int) -> list[Trial]:
        """Begin trials that wait, as many as there are and may be."""
        taken: list[Trial] = []
        for waiting in self._waiting():
            if len(taken) == most:
                break
            if not self._begun(waiting):
                continue
            # It chooses when the trial is made: by the number alone, whoever tries it.
            self.study.sampler = sampler(self.seed, waiting.number)
            taken.append(Trial(self.study, waiting._trial_id))
        return taken

    def give_back(self, trials: Iterable[Trial]) -> None:
        """Let those of this worker's trials wait again that run and that nobody took over."""
        for trial in trials:
            found = self.storage.get_trial(trial._trial_id)
            mine = found.user_attrs.get(WORKER) == self.attendance.worker
            if mine and found.state == TrialState.RUNNING:
                self._let_wait(found, {})

    def recover(self) -> int:
        """Put trials back whose worker is gone; return how many.

        A trial that was begun three times ends as failed: it may be what kills its workers.
        """
        lost = [trial for trial in self.open() if self._lost(trial)]
        for trial in lost:
            # Another worker may have put it back and begun it in the meantime.
            if self._lost(self.storage.get_trial(trial._trial_id)):
                self._put_back(trial)
        return len(lost)

    def _waiting(self) -> Iterator[FrozenTrial]:
        return (trial for trial in self.open() if trial.state == TrialState.WAITING)

    def _begun(self, trial: FrozenTrial) -> bool:
        number = trial._trial_id
        try:
            if not self.storage.set_trial_state_values(number, TrialState.RUNNING):
                return False
            self.storage.set_trial_user_attr(number, WORKER, self.attendance.worker)
        except UpdateFinishedTrialError:
            return False
        return True

    def _lost(self, trial: FrozenTrial) -> bool:
        if trial.state != TrialState.RUNNING:
            return False
        if worker := trial.user_attrs.get(WORKER):
            return not self.attendance.alive(worker)
        # Its worker has just begun it, or was killed in between.
        began = trial.datetime_start
        return began is None or self.attendance.clock() - began.astimezone() > LEASE

    def _put_back(self, trial: FrozenTrial) -> None:
        attempts = trial.user_attrs.get(ATTEMPTS, 1)
        if attempts < MOST_ATTEMPTS:
            self._let_wait(trial, {ATTEMPTS: attempts + 1})
            return
        reason = f"its worker was lost {attempts} times"
        self._change(trial, {REASON: reason}, TrialState.FAIL)

    def _let_wait(self, trial: FrozenTrial, said: Mapping[str, object]) -> None:
        # Who begins it next is not taken for the one that is gone.
        self._change(trial, {**said, WORKER: ""}, TrialState.WAITING)

    def _change(
        self, trial: FrozenTrial, attributes: Mapping[str, object], state: TrialState
    ) -> None:
        # Its worker may have been slow, not gone: what it told counts.
        with suppress(UpdateFinishedTrialError):
            for name, value in attributes.items():
                self.storage.set_trial_user_attr(trial._trial_id, name, value)
            self.storage.set_trial_state_values(trial._trial_id, state)


def plan_trials(study: Study, planned: int, own: Mapping[str, Param] | None = None) -> None:
    """Add the trials that are not there yet; those that are keep their numbers.

    Parameters
    ----------
    own
        What the first trial chooses; by default it is as free as the others.
    """
    there = len(study.get_trials(deepcopy=False))
    if own and not there:
        study.enqueue_trial(dict(own), user_attrs={OWN: True})
        there += 1
    for _ in range(planned - there):
        study.enqueue_trial({})
