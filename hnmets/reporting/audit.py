"""What was done to find out whether the result is what it seems."""

from dataclasses import dataclass
from typing import Literal

from hnmets.evaluation.estimate import Estimate, Measured


@dataclass(frozen=True, kw_only=True)
class Control:
    """A run that should do worse than the model.

    Parameters
    ----------
    kind
        `negative control`: what should matter was destroyed. `size alone`: nothing but the size
        of the regions was given. `shortcut`: only what should not matter was given.
    what
        What was destroyed or given, in words.
    auc
        Of the control.
    lead
        AUC of the model minus that of the control on the same patients; None without a model.
    rung
        The model: name of the rung that the control was held against; None where it is not said.
    """

    kind: Literal["negative control", "size alone", "shortcut"]
    name: str
    what: str
    auc: Measured
    lead: Measured | None = None
    rung: str | None = None

    @property
    def is_beaten(self) -> bool | None:
        """Whether the data show that the model is better; None where they cannot say."""
        return self.lead.low > 0 if isinstance(self.lead, Estimate) else None

    @property
    def above_chance(self) -> bool:
        """Whether the interval of the AUC lies above 0.5; False where not estimable."""
        return isinstance(self.auc, Estimate) and self.auc.low > 0.5


@dataclass(frozen=True, kw_only=True)
class Stability:
    """How features and risks move when the contour does.

    Parameters
    ----------
    perturbations
        By name, such as `grow-1mm`.
    patients
        Those whose features were compared.
    features
        Features measured under perturbations.
    reproducible
        Those with an ICC(1,1) of at least 0.75.
    rung
        The model whose risks were compared; None where no model was.
    risk_spread
        Median over the patients of the standard deviation of the risk; None where not scored.
    risk_spread_worst
        The same for the patient at the 95th percentile.
    """

    perturbations: tuple[str, ...]
    patients: int
    features: int
    reproducible: int
    rung: str | None = None
    risk_spread: float | None = None
    risk_spread_worst: float | None = None


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """The whole procedure on shuffled outcomes: what it finds where nothing is.

    Parameters
    ----------
    auc
        Of the real labelling.
    mean_auc
        Mean over the permutations; a sound procedure gives 0.5.
    p_value
        Share of permutations, the real labelling counted in, that did at least as well.
    seed
        Of the shuffles.
    """

    rung: str
    permutations: int
    seed: int
    auc: float
    mean_auc: float
    p_value: float
