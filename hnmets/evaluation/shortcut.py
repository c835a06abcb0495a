"""Whether something that should not matter predicts the outcome."""

from dataclasses import dataclass

from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.comparison import paired_bootstrap
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.evaluation.estimate import Estimate, Measured
from hnmets.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """What a shortcut alone achieves.

    Parameters
    ----------
    auc
        Of the shortcut: centre and scanner for the outcome, the embedding for a centre.
    above_chance
        Whether the interval lies above 0.5; None where not estimable.
    lead
        AUC of the model minus that of the shortcut on the same patients; None without a model.
    rivals_model
        Whether the data do not show that the model is better; None where not estimable.
    """

    auc: Measured
    above_chance: bool | None
    lead: Measured | None
    rivals_model: bool | None


def audit_shortcut(
    shortcut: Predictions, bootstrap: Bootstrap, *, model: Predictions | None = None
) -> Shortcut:
    """Hold a shortcut's out-of-fold score against chance, and against the model.

    Parameters
    ----------
    model
        The model's predictions for the same patients.

    Raises
    ------
    InvalidDataError
        If the two are not about the same patients and outcomes.
    """
    auc = pooled_auc(shortcut, bootstrap)
    lead = None if model is None else paired_bootstrap(model, shortcut, bootstrap)
    return Shortcut(
        auc=auc,
        above_chance=auc.low > 0.5 if isinstance(auc, Estimate) else None,
        lead=lead,
        rivals_model=lead.low <= 0 if isinstance(lead, Estimate) else None,
    )
