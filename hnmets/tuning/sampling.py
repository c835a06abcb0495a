"""How the next settings are chosen, and which trials are not worth going on with."""

from typing import TYPE_CHECKING

import numpy as np
from optuna.pruners import BasePruner, PercentilePruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, TPESampler

if TYPE_CHECKING:
    from hnmets.tuning.plan import Plan

# Trials by chance before anything is learned from them.
_STARTUP = 20
# Of the trials that came as far, the better half goes on.
_KEPT_PERCENT = 50.0
_HALVES = 2


def sampler(seed: int, number: int) -> BaseSampler:
    """Return the tree-structured Parzen estimator that chooses the settings of one trial.

    A sampler has a state that no storage keeps; with one per trial, ten trials and ten more are
    the same as twenty, as long as one worker tries them in the same batches.

    References
    ----------
    Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"; Watanabe 2023,
    arXiv 2304.11127. A trial that runs counts as a bad one, so that a batch spreads out.
    """
    state = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return TPESampler(seed=state, n_startup_trials=_STARTUP)


def pruner_of(plan: "Plan") -> BasePruner:
    """Return what ends trials at the rungs of a search.

    Heads are cheap: the worse half of those that were finished is known soon. Backbones are few
    and dear: successive halving ends the worse half of those that came as far, finished or not.

    References
    ----------
    Li et al. 2020, arXiv 1810.05934 (asynchronous successive halving).
    """
    if plan.target == "backbone":
        return SuccessiveHalvingPruner(min_resource=min(plan.rungs), reduction_factor=_HALVES)
    return PercentilePruner(_KEPT_PERCENT, n_startup_trials=_STARTUP)
