"""Restricted cubic spline: smooth between its knots, straight beyond them."""

import numpy as np
from numpy.typing import NDArray

# Harrell's quantiles for four knots.
_QUANTILES = (0.05, 0.35, 0.65, 0.95)


def knots_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place up to four knots; fewer where many values are equal.

    Parameters
    ----------
    values
        Any shape.
    """
    return np.unique(np.quantile(values, _QUANTILES))


def basis(values: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns that span the spline, without the constant.

    Parameters
    ----------
    values
        Shape (n,).
    knots
        Rising, shape (k,); with fewer than three the spline is a straight line.

    Returns
    -------
    NDArray
        float64, shape (n, max(k - 1, 1)); the first column is the values themselves.

    References
    ----------
    Harrell, Regression Modeling Strategies, 2015, doi:10.1007/978-3-319-19425-7, section 2.4.5.
    """
    if len(knots) < 3:
        return values[:, None]
    *inner, before_last, last = knots
    scale = (last - knots[0]) ** 2

    def cubic(knot: float) -> NDArray[np.float64]:
        return np.maximum(values - knot, 0.0) ** 3

    bent = [
        cubic(knot)
        - cubic(before_last) * (last - knot) / (last - before_last)
        + cubic(last) * (before_last - knot) / (last - before_last)
        for knot in inner
    ]
    return np.column_stack([values, *(column / scale for column in bent)])
