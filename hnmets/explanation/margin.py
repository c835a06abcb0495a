"""What is explained of a fitted rung: the log odds of the risk that it states."""

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows
from hnmets.models.base import FittedModel
from hnmets.models.candidate import FittedCandidate
from hnmets.models.recalibration import log_odds_of


def margin(fitted: FittedModel | FittedCandidate, rows: Rows) -> NDArray[np.float64]:
    """Return the log odds of the risks, float64, shape (cases,).

    Behind the calibration, since people read the calibrated risk; log odds and not the risk
    itself, since what columns add up to is not bounded.
    """
    return log_odds_of(fitted.risk(rows))


def mean_of(rows: Rows) -> NDArray[np.float64]:
    """Return the mean of each column over the cases that have it, NaN where nobody has."""
    known = np.isfinite(rows.values)
    counts = known.sum(axis=0)
    sums = np.where(known, rows.values, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def require_one(case: Rows) -> None:
    """Refuse rows of several cases: an explanation is one patient's.

    Raises
    ------
    ValueError
        If there is not exactly one row.
    """
    if len(case.case_ids) != 1:
        raise ValueError(f"an explanation is of one case, not of {len(case.case_ids)}")
