from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from hnmets.models.tree_ensemble import TreeEnsemble, boosting_arrays, forest_arrays
from tests.models.heads import cohort, thirds


def stump(means: str, base: float = 0.0) -> TreeEnsemble:
    """Two trees on column 0: values up to 1 say 0.25 and 0.5, others 0.75 and 0.5."""
    return TreeEnsemble(
        means=means,  # type: ignore[arg-type]  # one of the two
        base=base,
        roots=np.array([0, 3]),
        feature=np.array([0, -1, -1, -1]),
        threshold=np.array([1.0, 0, 0, 0]),
        left=np.array([1, 1, 2, 3]),
        right=np.array([2, 1, 2, 3]),
        value=np.array([0, 0.25, 0.75, 0.5]),
    )


def test_shares_of_the_leaves_are_averaged() -> None:
    np.testing.assert_array_equal(stump("share").risk(np.array([[1.0], [1.5]])), [0.375, 0.625])


def test_log_odds_of_the_leaves_are_added_to_the_base() -> None:
    # The log odds are -1/4 and 1/4.
    found = stump("log odds", -1.0).risk(np.array([[1.0], [1.5]]))
    np.testing.assert_allclose(found, [1 / (1 + np.exp(0.25)), 1 / (1 + np.exp(-0.25))])


def test_a_forest_compares_in_single_precision_as_scikit_learn_does() -> None:
    nearly = np.array([[1 + 1e-12]])
    assert stump("share").risk(nearly) == 0.375
    assert stump("log odds").risk(nearly) > 0.7


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_forest_as_arrays_says_what_scikit_learn_says_to_the_last_bit(seed: int) -> None:
    training, _, held_out = thirds(cohort(seed, 240, {0: 1.0, 8: 1.0}))
    forest = RandomForestClassifier(50, min_samples_leaf=3, random_state=seed, n_jobs=1)
    forest.fit(training.values, training.outcome)
    arrays = forest_arrays(forest)
    for values in (held_out.values, held_out.values[:1], training.values):
        expected = forest.predict_proba(values)[:, 1]
        np.testing.assert_array_equal(arrays.risk(values), expected)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_boosted_trees_as_arrays_say_what_scikit_learn_says_to_the_last_bit(seed: int) -> None:
    training, _, held_out = thirds(cohort(seed, 240, {0: 1.0, 8: 1.0}))
    boosting = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=8, min_samples_leaf=5, early_stopping=False
    )
    boosting.fit(training.values, training.outcome)
    arrays = boosting_arrays(boosting)
    for values in (held_out.values, held_out.values[:1], training.values):
        expected = boosting.predict_proba(values)[:, 1]
        np.testing.assert_array_equal(arrays.risk(values), expected)


def test_nodes_that_lead_back_are_refused() -> None:
    for wrong in (np.array([0, 1, 2, 3]), np.array([9, 1, 2, 3])):
        with pytest.raises(ValueError, match="children do not stand behind"):
            replace(stump("share"), left=wrong)
