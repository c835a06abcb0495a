"""Random forest and gradient boosting in the interface of all models."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import ChoosingRows, Rows, TrainRows
from hnmets.models.base import require_trainable
from hnmets.models.case_weights import case_weights, weighted_log_loss
from hnmets.models.head_parameters import Weighting
from hnmets.models.recalibration import Recalibration, log_odds_of, recalibration
from hnmets.models.tree_ensemble import TreeEnsemble, boosting_arrays, forest_arrays
from hnmets.selection.base import require_columns, require_finite

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedTrees:
    """Grown trees and the calibration of their risks."""

    columns: tuple[str, ...]
    trees: TreeEnsemble
    calibration: Recalibration

    def risk(self, rows: Rows) -> NDArray[np.float64]:
        """Return the risk of the event; see `FittedModel.risk`."""
        require_columns("trees", self.columns, rows)
        values = require_finite("trees", rows, np.arange(len(rows.columns)))
        return self.calibration.risk(log_odds_of(self.trees.risk(values)))


@dataclass(frozen=True, kw_only=True)
class RandomForest:
    """Trees on bootstrap samples; risks are the mean share of events in the leaves.

    Parameters
    ----------
    smallest_leaf
        Cases below which no node is divided off.
    weighting
        See `HeadParameters`.

    References
    ----------
    Breiman 2001, doi:10.1023/A:1010933404324.
    """

    trees: int = 500
    smallest_leaf: int = 5
    weighting: Weighting = "none"

    def __post_init__(self) -> None:
        """Check that anything is grown."""
        if min(self.trees, self.smallest_leaf) < 1:
            raise ValueError("trees and smallest_leaf are at least 1")

    def fit(self, rows: TrainRows, choosing: ChoosingRows, *, seed: int) -> FittedTrees:
        """Grow the forest; see `Model.fit`."""
        from sklearn.ensemble import RandomForestClassifier

        values, inner = _values("random forest", rows, choosing)
        forest = RandomForestClassifier(
            self.trees, min_samples_leaf=self.smallest_leaf, random_state=seed, n_jobs=1
        )
        weights = case_weights(rows.outcome, rows.outcome, self.weighting)
        forest.fit(values, rows.outcome, sample_weight=weights)
        return _calibrated(forest_arrays(forest), rows, inner, choosing.outcome)


@dataclass(frozen=True, kw_only=True)
class GradientBoosting:
    """Small trees, each on what those before it left; the choosing rows say how many.

    Parameters
    ----------
    most_trees
        Number tried; as many are kept as have the lowest loss of the choosing rows.
    leaves, smallest_leaf
        Of a tree, and cases in a leaf.
    weighting
        See `HeadParameters`; the loss that chooses has the same weights. With `balanced` the
        bins are weighted too, which takes scikit-learn seconds per fit.

    References
    ----------
    Friedman 2001, doi:10.1214/aos/1013203451.
    """

    most_trees: int = 200
    learning_rate: float = 0.05
    leaves: int = 8
    smallest_leaf: int = 20
    weighting: Weighting = "none"

    def __post_init__(self) -> None:
        """Check that anything is grown."""
        if min(self.most_trees, self.smallest_leaf) < 1 or self.leaves < 2:
            raise ValueError("most_trees and smallest_leaf are at least 1, leaves at least 2")
        if self.learning_rate <= 0:
            raise ValueError("learning_rate is positive")

    def fit(self, rows: TrainRows, choosing: ChoosingRows, *, seed: int) -> FittedTrees:
        """Boost, look how many trees serve, and boost so many; see `Model.fit`."""
        values, inner = _values("gradient boosting", rows, choosing)
        tried = self._boosted(values, rows.outcome, trees=self.most_trees, seed=seed)
        weights = case_weights(choosing.outcome, rows.outcome, self.weighting)
        losses = [
            weighted_log_loss(log_odds_of(risks[:, 1]), choosing.outcome, weights)
            for risks in tried.staged_predict_proba(inner)
        ]
        best = int(np.argmin(losses)) + 1
        kept = self._boosted(values, rows.outcome, trees=best, seed=seed)
        return _calibrated(boosting_arrays(kept), rows, inner, choosing.outcome)

    def _boosted(
        self,
        values: NDArray[np.float64],
        outcome: NDArray[np.bool_],
        *,
        trees: int,
        seed: int,
    ) -> "HistGradientBoostingClassifier":
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits

        boosting = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.smallest_leaf,
            # By default it would hold out cases of its own in cohorts above 10,000.
            early_stopping=False,
            class_weight=None if self.weighting == "none" else "balanced",
            random_state=seed,
        )
        # Threads that wait for each other at every node: two took 20 times as long as one.
        with threadpool_limits(1, user_api="openmp"):
            return boosting.fit(values, outcome)


def _values(
    model: str, rows: TrainRows, choosing: ChoosingRows
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    require_trainable(model, rows, choosing)
    require_columns(model, rows.columns, choosing)
    every = np.arange(len(rows.columns))
    return require_finite(model, rows, every), require_finite(model, choosing, every)


def _calibrated(
    trees: TreeEnsemble,
    rows: TrainRows,
    inner: NDArray[np.float64],
    outcome: NDArray[np.bool_],
) -> FittedTrees:
    scores = log_odds_of(trees.risk(inner))
    return FittedTrees(
        columns=rows.columns, trees=trees, calibration=recalibration(scores, outcome)
    )
