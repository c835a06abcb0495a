"""Intraclass correlation: whether a feature survives a slightly different contour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Share of a feature's variance that is between patients.

    Parameters
    ----------
    icc_1_1
        Perturbations drawn anew for each patient: every change counts as disagreement.
    icc_3_1
        The same perturbations for every patient: a shift common to all does not count.
    """

    icc_1_1: Measured
    icc_3_1: Measured


def agreement(values: NDArray[np.float64], *, level: float = 0.95) -> Agreement:
    """Intraclass correlations of one feature, single measurements.

    Parameters
    ----------
    values
        float64, shape (n, k): the feature of n patients under k perturbations.

    Raises
    ------
    InvalidDataError
        If there are fewer than two patients or perturbations, or a value is not finite.

    References
    ----------
    Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420; intervals: McGraw and Wong 1996,
    doi:10.1037/1082-989X.1.1.30.
    """
    if values.ndim != 2 or min(values.shape) < 2:
        raise InvalidDataError(f"agreement needs two patients and two values, not {values.shape}")
    if not np.isfinite(values).all():
        raise InvalidDataError(f"{(~np.isfinite(values)).sum()} values are not finite")
    n, k = values.shape
    if np.ptp(values) == 0:
        constant = NotEstimable(reason="the same value everywhere", n=n, events=None)
        return Agreement(icc_1_1=constant, icc_3_1=constant)
    # Sums of squares of tiny differences around a large mean would drown in rounding.
    centred = values - values.mean()
    patients = k * float((centred.mean(axis=1) ** 2).sum())
    perturbations = n * float((centred.mean(axis=0) ** 2).sum())
    within = float(((centred - centred.mean(axis=1, keepdims=True)) ** 2).sum())
    residual = max(within - perturbations, 0.0)
    return Agreement(
        icc_1_1=_icc(patients, within, values.shape, df=n * (k - 1), level=level),
        icc_3_1=_icc(patients, residual, values.shape, df=(n - 1) * (k - 1), level=level),
    )


def _icc(
    between: float, within: float, shape: tuple[int, ...], *, df: int, level: float
) -> Estimate:
    """Turn sums of squares into (F - 1) / (F + k - 1), which maps the interval of F too."""
    n, k = shape
    mean_between, mean_within = between / (n - 1), within / df
    value = (mean_between - mean_within) / (mean_between + (k - 1) * mean_within)
    low, high = (
        # F / quantile, with numerator and denominator kept apart: `within` may be 0
        (mean_between - quantile * mean_within) / (mean_between + (k - 1) * quantile * mean_within)
        for quantile in f.ppf([(1 + level) / 2, (1 - level) / 2], n - 1, df)
    )
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        n=n,
        events=None,
        level=level,
        method="F distribution",
    )
