"""Logistic regression with an elastic net: the baseline that a network has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import ChoosingRows, Rows, TrainRows
from hnmets.models.base import require_trainable
from hnmets.models.case_weights import case_weights, weighted_log_loss
from hnmets.models.head_parameters import Weighting
from hnmets.models.recalibration import Recalibration, recalibration
from hnmets.selection.base import require_columns, require_finite
from hnmets.selection.scaling import FittedScaling, Scaling

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True, kw_only=True)
class FittedElasticNet:
    """Coefficients on scaled columns.

    Parameters
    ----------
    coefficients
        float64, shape (columns,): log odds per standard deviation.
    strength
        Inverse penalty that was chosen.
    """

    scaling: FittedScaling
    coefficients: NDArray[np.float64]
    intercept: float
    strength: float
    calibration: Recalibration

    def log_odds(self, rows: Rows) -> NDArray[np.float64]:
        """Return the scores before calibration, float64, shape (cases,)."""
        require_columns("elastic net", self.scaling.columns, rows)
        require_finite("elastic net", rows, np.arange(len(rows.columns)))
        return self.scaling.apply(rows).values @ self.coefficients + self.intercept

    def risk(self, rows: Rows) -> NDArray[np.float64]:
        """Return the risk of the event; see `FittedModel.risk`."""
        return self.calibration.risk(self.log_odds(rows))


@dataclass(frozen=True, kw_only=True)
class ElasticNet:
    """Logistic regression on scaled columns, its strength chosen by the choosing rows.

    Parameters
    ----------
    strengths
        Inverse penalties tried, rising; the one with the lowest loss of the choosing rows wins,
        of equal ones the smaller.
    l1_ratio
        Share of the absolute penalty; the rest is squared.
    weighting
        See `HeadParameters`; the loss that chooses the strength has the same weights.

    References
    ----------
    Zou and Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x.
    """

    strengths: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
    l1_ratio: float = 0.5
    weighting: Weighting = "none"

    def __post_init__(self) -> None:
        """Check that there is a strength to choose."""
        if not self.strengths or min(self.strengths) <= 0 or not 0 <= self.l1_ratio <= 1:
            raise ValueError("strengths are positive, l1_ratio is from 0 to 1")

    def fit(self, rows: TrainRows, choosing: ChoosingRows, *, seed: int) -> FittedElasticNet:
        """Fit along the strengths; see `Model.fit`."""
        require_trainable("elastic net", rows, choosing)
        require_columns("elastic net", rows.columns, choosing)
        require_finite("elastic net", choosing, np.arange(len(choosing.columns)))
        scaling = Scaling().fit(rows)
        inner = scaling.apply(choosing).values
        weights = case_weights(choosing.outcome, rows.outcome, self.weighting)
        path = self._path(scaling.apply(rows), seed)
        losses = [
            weighted_log_loss(net.decision_function(inner), choosing.outcome, weights)
            for net in path
        ]
        best = int(np.argmin(losses))
        scores = np.asarray(path[best].decision_function(inner), dtype=np.float64)
        return FittedElasticNet(
            scaling=scaling,
            coefficients=path[best].coef_[0].copy(),
            intercept=float(path[best].intercept_[0]),
            strength=self.strengths[best],
            calibration=recalibration(scores, choosing.outcome),
        )

    def _path(self, rows: TrainRows, seed: int) -> "Sequence[LogisticRegression]":
        from sklearn.linear_model import LogisticRegression

        weights = case_weights(rows.outcome, rows.outcome, self.weighting)
        return [
            LogisticRegression(
                C=strength,
                l1_ratio=self.l1_ratio,
                solver="saga",
                # Beyond that digits change which no cohort can see; saga nears them slowly.
                tol=1e-4,
                max_iter=10_000,
                random_state=seed,
            ).fit(rows.values, rows.outcome, sample_weight=weights)
            for strength in self.strengths
        ]
