"""From the folder of a search to a worker."""

from collections.abc import Callable
from pathlib import Path

import optuna

from hnmets.tuning.head_tries import HeadTries
from hnmets.tuning.plan import HeadPlan, read_plan
from hnmets.tuning.sampling import pruner_of
from hnmets.tuning.storage import open_storage
from hnmets.tuning.worker import Tries, Worker

STORAGE = "HNMETS_TUNING__STORAGE"


def worker_of(
    folder: Path,
    *,
    storage: str = "",
    device: str = "cpu",
    workers: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Worker:
    """Return a worker of the search in a folder.

    Parameters
    ----------
    storage
        URL of a PostgreSQL server; empty for the journal in the folder.
    device
        `cpu` or `cuda`.
    workers
        How many there are in all.
    stop
        Asked before each batch whether to end there.

    Raises
    ------
    InvalidDataError
        If it is no folder of a search.
    UsageError
        If the storage cannot serve so many workers.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    plan = read_plan(folder)

    def tries(study: str) -> Tries:
        if isinstance(plan, HeadPlan):
            return HeadTries(folder=folder, plan=plan, study=study, device=device)
        # Heads need none of what networks need.
        from hnmets.tuning.backbone_tries import BackboneTries

        return BackboneTries(folder=folder, plan=plan, study=study, device=device)

    return Worker(
        name=plan.name,
        studies=tuple(plan.studies),
        planned=plan.trials,
        seed=plan.seed,
        storage=open_storage(storage, folder, workers=workers),
        tries=tries,
        stop=stop,
        pruner=pruner_of(plan),
    )
