"""Sections of the study file about the search for settings."""

from dataclasses import dataclass, field

from hnmets.tuning.space import HeadSpace


@dataclass(frozen=True, kw_only=True)
class TuningSection:
    """How settings are searched for.

    Parameters
    ----------
    trials
        Of each study: one study per outer fold, and one over all patients.
    inner_folds
        Into which the patients of a study are divided; a trial's value is its mean AUC over
        them.
    rungs
        Epochs after which the worse half of the trials is ended.
    storage
        URL of a PostgreSQL server, where several machines work on one search; by default a
        journal file. A password belongs into the environment: HNMETS_TUNING__STORAGE.
    workers
        Processes on this machine.
    seed
        Of inner folds, samplers and heads.
    head
        What a search of fusion heads may choose.
    """

    trials: int = 200
    inner_folds: int = 5
    rungs: tuple[int, ...] = (5, 10, 20)
    storage: str = ""
    workers: int = 1
    seed: int = 0
    head: HeadSpace = field(default_factory=HeadSpace)

    def __post_init__(self) -> None:
        """Check that a search is possible."""
        if min(self.trials, self.workers, *self.rungs) < 1:
            raise ValueError("`trials`, `workers` and `rungs` are at least 1")
        if self.inner_folds < 2 or self.seed < 0:
            raise ValueError("`inner_folds` is at least 2, `seed` not negative")


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """Where a study's settings come from, where a search has found them.

    Parameters
    ----------
    search
        Its name.
    cases
        Digest of the cases that it has seen: an evaluation on these is no test of the settings.
    nested_auc, low, high
        What the search itself measured in outer folds, with its interval; absent where that was
        not estimable.
    """

    search: str
    cases: str
    nested_auc: float | None = None
    low: float | None = None
    high: float | None = None
