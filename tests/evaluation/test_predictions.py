"""Predictions: what cannot be meant is refused, pairs are the same patients."""

import re

import numpy as np
import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.predictions import Predictions, paired
from tests.builders_predictions import predictions


def test_a_patient_with_two_rows_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="a patient has two rows") as caught:
        Predictions(
            patient_ids=("A", "B", "A"),
            outcome=np.array([True, False, True]),
            risk=np.array([0.1, 0.2, 0.3]),
        )
    assert "Combine" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("outcome", "risk", "weight", "said"),
    [
        ([1, 0, 0], [0.1, 0.2], None, "3 patient ids, but outcome (3,), risk (2,)"),
        ([1, 0], [[[0.1, 0.2]]], None, "risk (1, 1, 2)"),
        ([1, 0], [0.1, np.nan], None, "1 risks are not finite"),
        ([1, 0], [0.1, 0.2], [1.0, -1.0], "weights must be finite"),
        ([1, 0], [0.1, 0.2], [1.0], "weight (1,)"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(
    outcome: list[int], risk: list[float], weight: list[float] | None, said: str
) -> None:
    with pytest.raises(InvalidDataError, match=re.escape(said)):
        predictions(outcome, risk, weight)


def test_an_outcome_of_numbers_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="outcome is int64, not bool"):
        Predictions(patient_ids=("A", "B"), outcome=np.array([0, 2]), risk=np.array([0.1, 0.2]))


def test_counts_leave_out_patients_of_weight_zero() -> None:
    found = predictions([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4], [2.0, 0.0, 1.0, 1.0])
    assert (found.n, found.events) == (3, 1)
    assert found.prevalence == pytest.approx(2 / 4)


def test_nobody_has_no_prevalence() -> None:
    for empty in (predictions([], []), predictions([1, 0], [0.2, 0.1], [0.0, 0.0])):
        with pytest.raises(InvalidDataError, match="no patient whose outcome is known"):
            _ = empty.prevalence


def test_pairs_are_brought_into_one_order() -> None:
    first = predictions([1, 0, 0], [0.9, 0.2, 0.1])
    second = first.of(np.array([2, 0, 1]))
    _, back = paired(first, second)
    assert back.patient_ids == first.patient_ids
    np.testing.assert_array_equal(back.risk, [0.9, 0.2, 0.1])


def test_other_patients_are_not_compared() -> None:
    first = predictions([1, 0, 0], [0.9, 0.2, 0.1])
    with pytest.raises(InvalidDataError, match="1 have one prediction only") as caught:
        paired(first, first.of(np.array([0, 1])))
    assert "HN-0002" in str(caught.value)
    assert "one split file" in caught.value.__notes__[0]


def test_other_outcomes_are_not_compared() -> None:
    with pytest.raises(InvalidDataError, match="different outcomes"):
        paired(predictions([1, 0], [0.9, 0.2]), predictions([1, 1], [0.9, 0.2]))


def test_an_estimate_is_never_nan() -> None:
    with pytest.raises(ValueError, match="is no estimate"):
        Estimate(value=np.nan, low=0, high=1, n=3, events=1, level=0.95, method="none")
