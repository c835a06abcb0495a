import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from hnmets.datasets.univariate import auc_of_ranks, column_auc, ranks

# Six cases, 1 to 3 events; whole numbers make ties.
VALUES = arrays(np.float64, (6, 3), elements=st.integers(-3, 3).map(float))
OUTCOME = st.integers(1, 3).flatmap(
    lambda events: st.permutations([True] * events + [False] * (6 - events))
)


def test_ties_share_their_mean_rank() -> None:
    column = np.array([[10.0, 1.0], [20.0, 1.0], [10.0, 1.0]])
    np.testing.assert_array_equal(ranks(column), [[1.5, 2.0], [3.0, 2.0], [1.5, 2.0]])


@given(values=VALUES, outcome=OUTCOME)
def test_the_auc_is_that_of_scikit_learn(values: np.ndarray, outcome: list[bool]) -> None:
    event = np.array(outcome)
    expected = [roc_auc_score(event, values[:, column]) for column in range(3)]
    np.testing.assert_allclose(column_auc(values, event), expected, atol=1e-12)


@given(values=VALUES, outcome=OUTCOME)
def test_a_column_turned_around_has_the_complement(
    values: np.ndarray, outcome: list[bool]
) -> None:
    event = np.array(outcome)
    np.testing.assert_allclose(column_auc(-values, event), 1 - column_auc(values, event))


def test_absent_values_leave_their_case_out_of_their_column_alone() -> None:
    # Without the gap: events 3, 1 against 2 and 0: three of four pairs won.
    values = np.array([[3.0, 3.0], [1.0, np.nan], [2.0, 2.0], [0.0, 0.0]])
    event = np.array([True, True, False, False])
    np.testing.assert_allclose(column_auc(values, event), [0.75, 1.0])


def test_one_class_has_no_auc() -> None:
    assert np.isnan(auc_of_ranks(ranks(np.eye(3)), np.zeros(3, dtype=bool))).all()
    gaps = np.array([[1.0], [np.nan]])
    assert np.isnan(column_auc(gaps, np.array([False, True]))).all()
