"""Logistic regression of the outcome on a model's risk, as calibration needs it."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.evaluation.predictions import Predictions

# A risk of exactly 0 or 1 has no logit; beyond one in a million no cohort can tell.
_SMALLEST_RISK = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Logistic:
    """Coefficients, shape (p,), and their covariance, shape (p, p)."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]


def logits(risk: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds; risks are first kept one in a million away from 0 and 1."""
    kept = np.clip(risk, _SMALLEST_RISK, 1 - _SMALLEST_RISK)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def fit_logistic(
    predictions: Predictions,
    design: NDArray[np.float64],
    *,
    offset: NDArray[np.float64] | None = None,
) -> Logistic | None:
    """Fit by maximum likelihood, with a covariance that takes a patient's rows as one.

    The clustered sandwich covers weights and repeats; with one unweighted row per patient it
    is the heteroscedasticity-robust one.

    Parameters
    ----------
    design
        Shape (repeats · n, p), repeat after repeat; the constant included.
    offset
        Shape (repeats · n,).

    Returns
    -------
    Logistic or None
        None where the likelihood has no maximum (separated patients, too few of them).
    """
    # Two seconds of imports, which only calibration shall pay.
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import SpecificationWarning

    known = np.tile(predictions.weights > 0, len(predictions.repeats))
    model = GLM(
        np.tile(predictions.outcome, len(predictions.repeats))[known].astype(np.float64),
        design[known],
        family=Binomial(),
        offset=None if offset is None else offset[known],
        freq_weights=np.tile(predictions.weights, len(predictions.repeats))[known],
    )
    groups = np.tile(np.arange(len(predictions.outcome)), len(predictions.repeats))[known]
    # Separation is only told by warnings; each of them means that there is no maximum.
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        # It asks to verify the sandwich of weighted rows; a test holds it against copied rows.
        warnings.simplefilter("ignore", SpecificationWarning)
        fitted = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    covariance = np.asarray(fitted.cov_params())
    if told or not fitted.converged or not np.isfinite(covariance).all():
        return None
    return Logistic(coefficients=np.asarray(fitted.params), covariance=covariance)
