"""Whether a predicted risk of 30 % means that 30 of 100 patients have the event."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from hnmets.evaluation.bootstrap import Bootstrap, bootstrapped
from hnmets.evaluation.calibration_curve import CalibrationCurve, calibration_curve
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.logistic import fit_logistic, logits
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.ratio import ratio

_ONE_CLASS = "needs patients with and without the event"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Calibration from coarse to fine.

    Parameters
    ----------
    intercept
        Log odds by which all risks are too low (above 0) or too high (below 0).
    slope
        Below 1: risks too extreme, the mark of overfitting; above 1: too timid.
    observed_expected
        Events seen divided by events predicted.
    brier
        Mean squared distance of risk and outcome; to be read against the prevalence.
    scaled_brier
        1 is perfect, 0 is as good as giving everybody the prevalence.
    curve
        Flexible curve with its band, ICI, E50 and E90.

    References
    ----------
    Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7.
    """

    intercept: Measured
    slope: Measured
    observed_expected: Measured
    brier: Measured
    scaled_brier: Measured
    curve: CalibrationCurve | NotEstimable


def calibration(predictions: Predictions, bootstrap: Bootstrap) -> Calibration:
    """Measure calibration: Wald intervals for intercept and slope, bootstrap for the others.

    Raises
    ------
    InvalidDataError
        If the risks are no probabilities.
    """
    predictions.require_probabilities()

    def over_patients(name: str, undefined: str) -> Measured:
        return bootstrapped(
            lambda weights: _sums(predictions, weights)[name],
            predictions,
            bootstrap,
            stratified=False,  # all of them move with the number of events
            undefined=undefined,
        )

    return Calibration(
        intercept=calibration_intercept(predictions, level=bootstrap.level),
        slope=calibration_slope(predictions, level=bootstrap.level),
        observed_expected=over_patients("observed_expected", "all risks are 0"),
        brier=over_patients("brier", "no patients"),
        scaled_brier=over_patients("scaled_brier", _ONE_CLASS),
        curve=calibration_curve(predictions, level=bootstrap.level),
    )


def calibration_intercept(predictions: Predictions, *, level: float = 0.95) -> Measured:
    """Calibration in the large: the constant beside the predicted log odds as an offset."""
    if predictions.events in {0, predictions.n}:
        return _not(predictions, _ONE_CLASS)
    offset = logits(predictions.repeats.ravel())
    return _coefficient(predictions, np.ones((len(offset), 1)), 0, offset=offset, level=level)


def calibration_slope(predictions: Predictions, *, level: float = 0.95) -> Measured:
    """Coefficient of the predicted log odds in a logistic regression of the outcome."""
    if predictions.events in {0, predictions.n}:
        return _not(predictions, _ONE_CLASS)
    score = logits(predictions.repeats.ravel())
    if np.ptp(score) == 0:
        return _not(predictions, "all risks are equal")
    design = np.column_stack([np.ones_like(score), score])
    return _coefficient(predictions, design, 1, offset=None, level=level)


def _coefficient(
    predictions: Predictions,
    design: NDArray[np.float64],
    which: int,
    *,
    offset: NDArray[np.float64] | None,
    level: float,
) -> Measured:
    fitted = fit_logistic(predictions, design, offset=offset)
    if fitted is None:
        return _not(predictions, "the risks separate the patients: there is no best fit")
    value = float(fitted.coefficients[which])
    half = float(norm.ppf((1 + level) / 2)) * sqrt(fitted.covariance[which, which])
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        n=predictions.n,
        events=predictions.events,
        level=level,
        method="logistic regression, robust Wald",
    )


def _sums(
    predictions: Predictions, weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return each measure for each weighting, shape (draws,), NaN where undefined."""
    outcome = predictions.outcome.astype(np.float64)
    total = weights.sum(axis=1)
    observed = weights @ outcome
    expected = weights @ predictions.repeats.T
    brier = ratio(weights @ ((predictions.repeats - outcome) ** 2).mean(axis=0), total)
    prevalence = ratio(observed, total)
    observed_by_repeat = np.broadcast_to(observed[:, None], expected.shape)
    return {
        "observed_expected": ratio(observed_by_repeat, expected).mean(axis=1),
        "brier": brier,
        "scaled_brier": 1 - ratio(brier, prevalence * (1 - prevalence)),
    }


def _not(predictions: Predictions, reason: str) -> NotEstimable:
    return NotEstimable(reason=reason, n=predictions.n, events=predictions.events)
