"""How the next settings are chosen, and which trials are not worth going on with."""

import numpy as np
from optuna.pruners import BasePruner, PercentilePruner
from optuna.samplers import BaseSampler, TPESampler

# Trials by chance before anything is learned from them.
_STARTUP = 20
# Of the trials that came as far, the better half goes on.
_KEPT_PERCENT = 50.0


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


def pruner() -> BasePruner:
    """Return what ends the worse half of the trials at each rung, by those that were finished."""
    return PercentilePruner(_KEPT_PERCENT, n_startup_trials=_STARTUP)
