"""Observed against predicted risk, as a smooth curve with a band."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from hnmets.evaluation.estimate import NotEstimable
from hnmets.evaluation.logistic import Logistic, fit_logistic, logits
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.spline import basis, knots_of

# Fewer say nothing about a shape.
_LEAST_OF_A_CLASS = 10
_POINTS = 101


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationCurve:
    """Flexible calibration curve.

    Parameters
    ----------
    risk
        Predicted risks from the lowest to the highest, shape (101,); one where all are equal.
    observed, low, high
        Risk observed among patients of that prediction, and its pointwise band.
    ici, e50, e90
        Mean, median and 90th percentile over the patients of the distance between predicted
        and observed risk. They are distances: chance alone makes them larger than 0.
    """

    risk: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ici: float
    e50: float
    e90: float


def calibration_curve(
    predictions: Predictions, *, level: float = 0.95
) -> CalibrationCurve | NotEstimable:
    """Fit the outcome on a restricted cubic spline of the predicted log odds.

    Raises
    ------
    InvalidDataError
        If the risks are no probabilities.

    References
    ----------
    Austin and Steyerberg 2019, doi:10.1002/sim.8281 (ICI, E50, E90); Van Calster et al. 2016,
    doi:10.1016/j.jclinepi.2015.12.005 (flexible curve).
    """
    predictions.require_probabilities()
    n, events = predictions.n, predictions.events
    if min(events, n - events) < _LEAST_OF_A_CLASS:
        reason = f"needs {_LEAST_OF_A_CLASS} patients with and without the event"
        return NotEstimable(reason=reason, n=n, events=events)
    risk = predictions.repeats.ravel()
    knots = knots_of(logits(risk))
    design = _design(risk, knots)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        reason = "the risks differ too little for a curve"
        return NotEstimable(reason=reason, n=n, events=events)
    fitted = fit_logistic(predictions, design)
    if fitted is None:
        reason = "the risks separate the patients: the curve has no best fit"
        return NotEstimable(reason=reason, n=n, events=events)
    distance = np.abs(expit(design @ fitted.coefficients) - risk)
    weights = np.tile(predictions.weights, len(predictions.repeats))
    e50, e90 = np.quantile(distance, [0.5, 0.9], weights=weights, method="inverted_cdf")
    grid = np.unique(np.linspace(risk.min(), risk.max(), _POINTS))
    observed, low, high = _band(fitted, _design(grid, knots), level)
    return CalibrationCurve(
        risk=grid,
        observed=observed,
        low=low,
        high=high,
        ici=float(np.average(distance, weights=weights)),
        e50=float(e50),
        e90=float(e90),
    )


def _design(risk: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    constant = np.ones((len(risk), 1))
    # Equal risks leave nothing but the constant to fit.
    return constant if len(knots) < 2 else np.hstack([constant, basis(logits(risk), knots)])


def _band(
    fitted: Logistic, design: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    middle = design @ fitted.coefficients
    variance = np.einsum("ij,jk,ik->i", design, fitted.covariance, design)
    error = np.sqrt(np.maximum(variance, 0))  # rounding leaves -1e-99 of a variance of 0
    half = norm.ppf((1 + level) / 2) * error
    return expit(middle), expit(middle - half), expit(middle + half)
