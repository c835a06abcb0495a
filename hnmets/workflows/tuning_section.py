"""Sections of the study file about the search for settings."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from hnmets.tuning.backbone_space import BackboneSpace
from hnmets.tuning.space import HeadSpace

_DIGITS = 16


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
    head, backbone
        What a search of fusion heads, and one of backbones, may choose.
    """

    trials: int = 200
    inner_folds: int = 5
    rungs: tuple[int, ...] = (5, 10, 20)
    storage: str = ""
    workers: int = 1
    seed: int = 0
    head: HeadSpace = field(default_factory=HeadSpace)
    backbone: BackboneSpace = field(default_factory=BackboneSpace)

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

    def remark(self, case_ids: Collection[str]) -> str:
        """Say what an evaluation on these cases is worth."""
        same = digest_of_cases(case_ids) == self.cases
        where = "these patients" if same else "patients who may be among these"
        nested = ""
        if self.nested_auc is not None and self.low is not None and self.high is not None:
            nested = f"; nested it was {self.nested_auc:.2f} ({self.low:.2f} to {self.high:.2f})"
        return (
            f"the settings of {self.search} were searched for on {where}: an AUC of them here "
            f"is too high{nested}"
        )


def digest_of_cases(case_ids: Collection[str]) -> str:
    """Return a digest by which a study knows the cases of a search."""
    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()[:_DIGITS]
