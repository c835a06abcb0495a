"""What the storage of a search knows, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import BaseStorage
from optuna.trial import FixedTrial, FrozenTrial

from hnmets.tuning.head_tries import AUCS
from hnmets.tuning.lease import Attendance
from hnmets.tuning.plan import Configuration, Plan
from hnmets.tuning.queue import ATTEMPTS, OWN, REASON, WORKER, plan_trials
from hnmets.tuning.storage import close_storage, open_storage
from hnmets.tuning.worker import BOARD, open_study

State = Literal["waiting", "running", "complete", "pruned", "fail"]
_FEWEST_FOR_IMPORTANCE = 10
# 95 % quantiles of Student's t with 1, 2, … degrees of freedom; beyond, the last is close enough.
_ONE_SIDED = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
_PAIR = 2


@dataclass(frozen=True, kw_only=True)
class Record:
    """A trial.

    Parameters
    ----------
    value
        Mean AUC over the inner folds; of a pruned trial the last that was seen.
    params
        What it chose.
    aucs
        Of the inner folds; none unless it was trained to its end.
    reason
        Why it failed.
    attempts
        How often it was begun.
    worker
        Who tried it.
    """

    number: int
    state: State
    value: float | None
    params: dict[str, str | int | float]
    aucs: tuple[float, ...]
    reason: str
    attempts: int
    worker: str
    began: datetime | None
    ended: datetime | None
    attributes: dict[str, Any] = field(default_factory=dict)  # Any: what JSON can hold

    def as_json(self) -> dict[str, object]:
        """Return the trial as a JSON object."""
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        told |= {name: at and at.isoformat() for name, at in self._times.items()}
        return told

    @property
    def _times(self) -> dict[str, datetime | None]:
        return {"began": self.began, "ended": self.ended}

    @property
    def own(self) -> bool:
        """Whether these are the study's own settings."""
        return bool(self.attributes.get(OWN))

    @property
    def finished(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in {"complete", "pruned", "fail"}


@dataclass(frozen=True, kw_only=True)
class Records:
    """The trials of a search.

    Parameters
    ----------
    storage
        Where they are.
    """

    plan: Plan
    storage: BaseStorage

    @classmethod
    def open(cls, plan: Plan, folder: Path, *, storage: str, workers: int = 1) -> "Records":
        """Open the storage of a search.

        Parameters
        ----------
        storage
            URL of a PostgreSQL server; empty for the journal in the folder.
        workers
            Processes that will write to it.

        Raises
        ------
        UsageError
            If the storage cannot serve so many workers.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        return cls(plan=plan, storage=open_storage(storage, folder, workers=workers))

    def close(self) -> None:
        """Give back the connections to a server."""
        close_storage(self.storage)

    def enqueue(self) -> None:
        """Plan the trials of every study."""
        for study in self.plan.studies:
            plan_trials(self._study(study), self.plan.trials, self.plan.own)

    def of(self, study: str) -> list[Record]:
        """Return the trials of a study, in their order, without those beyond the plan."""
        trials = self._study(study).get_trials(deepcopy=False)
        return [_record(trial) for trial in trials if trial.number < self.plan.trials]

    def best(self, study: str) -> Record | None:
        """Return the trial of the highest value among those trained to their end."""
        complete = [r for r in self.of(study) if r.state == "complete" and r.value is not None]
        return max(
            complete, key=lambda record: (record.value or 0.0, -record.number), default=None
        )

    def winner(self, study: str) -> Record | None:
        """Return the best trial, or the study's own settings where it is not surely better.

        The best of hundreds of trials owes much to luck. It wins where its lead over the study's
        own settings, inner fold by inner fold, lies above 0 by the interval for overlapping
        training sets (one-sided, 95 %); with a single inner fold every lead counts.

        References
        ----------
        Nadeau and Bengio 2003, doi:10.1023/A:1024068626366; Cawley and Talbot 2010, "On
        over-fitting in model selection", JMLR 11.
        """
        best = self.best(study)
        own = next((r for r in self.of(study) if r.own and r.state == "complete"), None)
        if best is None or own is None or best.number == own.number:
            return best
        return best if _surely_better(best.aucs, own.aucs) else own

    def configuration(self, record: Record) -> Configuration:
        """Return what a trial chose, in full."""
        return self.plan.configuration(trial_of(record))

    def importance(self, study: str) -> dict[str, float]:
        """Return how much each setting decides, falling; none from too few trials.

        References
        ----------
        Watanabe et al. 2023, arXiv 2304.10255 (PED-ANOVA).
        """
        complete = [record for record in self.of(study) if record.state == "complete"]
        if len(complete) < _FEWEST_FOR_IMPORTANCE:
            return {}
        # A setting that not every trial has, has no importance over all of them.
        common = set.intersection(*(set(record.params) for record in complete))
        if len(common) < _PAIR:
            return dict.fromkeys(common, 1.0)
        found = get_param_importances(
            self._study(study),
            evaluator=PedAnovaImportanceEvaluator(),
            params=sorted(common),
        )
        return {name: float(value) for name, value in found.items()}

    def stale(self, study: str) -> int:
        """Return how many trials run whose worker is gone: the next worker takes them up."""
        attendance = Attendance(board=self._study(BOARD))
        running = [record for record in self.of(study) if record.state == "running"]
        return sum(1 for each in running if not attendance.alive(each.worker))

    def _study(self, name: str) -> optuna.Study:
        return open_study(self.storage, self.plan.name, name)


def _surely_better(first: Sequence[float], second: Sequence[float]) -> bool:
    leads = [a - b for a, b in zip(first, second, strict=True)]
    if len(leads) < _PAIR:
        return True
    # Each of k folds is scored by what the others, k - 1 of k parts, have taught.
    variance = stdev(leads) ** 2 * (1 / len(leads) + 1 / (len(leads) - 1))
    return fmean(leads) > _ONE_SIDED[min(len(leads), len(_ONE_SIDED) + 1) - 2] * sqrt(variance)


def trial_of(record: Record) -> FixedTrial:
    """Return a trial that chooses again what was chosen."""
    return FixedTrial(record.params)


def _record(trial: FrozenTrial) -> Record:
    state: State = trial.state.name.lower()  # type: ignore[assignment]  # the names are Optuna's
    value = trial.value if trial.state.is_finished() else None
    return Record(
        number=trial.number,
        state=state,
        value=value,
        params=dict(trial.params),
        aucs=tuple(trial.user_attrs.get(AUCS, ())),
        reason=trial.user_attrs.get(REASON, ""),
        attempts=trial.user_attrs.get(ATTEMPTS, 1),
        worker=trial.user_attrs.get(WORKER, ""),
        began=_aware(trial.datetime_start),
        ended=_aware(trial.datetime_complete),
        attributes=dict(trial.user_attrs),
    )


def _aware(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone()
