"""What was done to find out whether the result is what it seems."""

from dataclasses import dataclass
from typing import Literal

from hnmets.evaluation.estimate import Measured


@dataclass(frozen=True, kw_only=True)
class Control:
    """A run that should do worse than the model.

    Parameters
    ----------
    kind
        `negative control`: what should matter was destroyed. `shortcut`: only what should not
        matter was given.
    what
        What was destroyed or given, in words.
    auc
        Of the control.
    lead
        AUC of the model minus that of the control on the same patients; None without a model.
    """

    kind: Literal["negative control", "shortcut"]
    name: str
    what: str
    auc: Measured
    lead: Measured | None = None


@dataclass(frozen=True, kw_only=True)
class Stability:
    """How features and risks move when the contour does.

    Parameters
    ----------
    perturbations
        In words.
    features
        Features measured under every perturbation.
    reproducible
        Those with an ICC(1,1) of at least 0.75.
    risk_spread
        Median over the patients of the standard deviation of the risk; None where not scored.
    """

    perturbations: tuple[str, ...]
    patients: int
    features: int
    reproducible: int
    risk_spread: float | None = None


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """The whole procedure on shuffled outcomes: what it finds where nothing is.

    Parameters
    ----------
    mean_auc
        Mean over the permutations; a sound procedure gives 0.5.
    p_value
        Share of permutations, the real labelling counted in, that did at least as well.
    """

    rung: str
    permutations: int
    mean_auc: float
    p_value: float
