"""Grown trees as arrays of nodes: what they say needs no library and no pickle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

Sum = Literal["share", "log odds"]
_LEAF = -1
# The class of the event: scikit-learn sorts False before True.
_EVENT = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class TreeEnsemble:
    """Nodes of all trees, one after the other.

    Parameters
    ----------
    means
        What a leaf says. `share`: the share of events in it; the mean over the trees is the
        risk, and values are compared as float32, as scikit-learn's forests do. `log odds`: what
        it adds to `base`.
    base
        Log odds before the first tree; 0 for shares.
    roots
        int64, shape (trees,): place of each tree's first node.
    feature
        int64, shape (nodes,): column that a node asks; -1 for a leaf.
    threshold
        float64, shape (nodes,): values up to it go left.
    left, right
        int64, shape (nodes,): places of the children; a leaf's own place.
    value
        float64, shape (nodes,): what the leaf says; 0 elsewhere.

    Raises
    ------
    ValueError
        If a node's children do not stand behind it: nobody would ever reach a leaf.
    """

    means: Sum
    base: float
    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check that every row ends in a leaf."""
        nodes = len(self.feature)
        own, asks = np.arange(nodes), self.feature != _LEAF
        behind = (np.minimum(self.left, self.right) > own) & (
            np.maximum(self.left, self.right) < nodes
        )
        rooted = len(self.roots) > 0 and (self.roots >= 0).all() and (self.roots < nodes).all()
        if not (rooted and behind[asks].all() and (self.feature >= _LEAF).all()):
            raise ValueError("a node's children do not stand behind it")

    def risk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the risks of rows, float64, shape (rows,), as scikit-learn gives them.

        Parameters
        ----------
        values
            float64, shape (rows, columns), finite.
        """
        said = self.value[self._leaves(values)]
        total = np.full(len(values), self.base)
        # One tree after the other: another order of summation has other last digits.
        for tree in said:
            total += tree
        if self.means == "share":
            return total / len(self.roots)
        return np.asarray(expit(total), dtype=np.float64)

    def _leaves(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return where each row ends in each tree, shape (trees, rows)."""
        asked = values.astype(np.float32) if self.means == "share" else values
        rows = np.arange(len(values))
        places = np.repeat(self.roots[:, None], len(values), axis=1)
        while (self.feature[places] != _LEAF).any():
            met = asked[rows, self.feature[places]]
            goes_left = met <= self.threshold[places]
            places = np.where(goes_left, self.left[places], self.right[places])
        return places


def forest_arrays(forest: "RandomForestClassifier") -> TreeEnsemble:
    """Return a fitted forest as arrays."""
    trees = [tree.tree_ for tree in forest.estimators_]
    return _joined(
        "share",
        0.0,
        feature=[np.where(tree.feature < 0, _LEAF, tree.feature) for tree in trees],
        threshold=[tree.threshold for tree in trees],
        left=[tree.children_left for tree in trees],
        right=[tree.children_right for tree in trees],
        value=[tree.value[:, 0, _EVENT] for tree in trees],
    )


def boosting_arrays(boosting: "HistGradientBoostingClassifier") -> TreeEnsemble:
    """Return fitted boosted trees as arrays."""
    # scikit-learn has no public way to them.
    trees = [predictor.nodes for (predictor,) in boosting._predictors]
    leaf = [tree["is_leaf"].astype(bool) for tree in trees]
    return _joined(
        "log odds",
        float(boosting._baseline_prediction.item()),
        feature=[np.where(f, _LEAF, t["feature_idx"]) for f, t in zip(leaf, trees, strict=True)],
        threshold=[tree["num_threshold"] for tree in trees],
        left=[tree["left"] for tree in trees],
        right=[tree["right"] for tree in trees],
        value=[tree["value"] for tree in trees],
    )


def _joined(  # noqa: PLR0913 - the arrays of a node, all named
    means: Sum,
    base: float,
    *,
    feature: Sequence[NDArray[np.int64]],
    threshold: Sequence[NDArray[np.float64]],
    left: Sequence[NDArray[np.int64]],
    right: Sequence[NDArray[np.int64]],
    value: Sequence[NDArray[np.float64]],
) -> TreeEnsemble:
    """Put the nodes of all trees behind each other; a leaf asks nothing and stays where it is."""
    sizes = np.array([len(tree) for tree in feature], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    first = np.repeat(roots, sizes)
    asks = np.concatenate(feature).astype(np.int64)
    is_leaf, own = asks == _LEAF, np.arange(len(asks))

    def children(side: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        return np.where(is_leaf, own, np.concatenate(side).astype(np.int64) + first)

    return TreeEnsemble(
        means=means,
        base=base,
        roots=roots,
        feature=asks,
        threshold=np.where(is_leaf, 0.0, np.concatenate(threshold)),
        left=children(left),
        right=children(right),
        value=np.where(is_leaf, np.concatenate(value), 0.0),
    )
