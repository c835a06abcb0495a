from dataclasses import replace

import numpy as np
import pytest

from hnmets.selection.imputation import MedianImputation
from tests.builders_rows import train_rows

NAN = np.nan
ONE = MedianImputation(fewest_for_indicator=1)


def test_gaps_become_the_training_median_and_a_column_that_says_so() -> None:
    # Median of 1, 2, 6 is 2; of 10, 20, 30, 40 it is 25.
    rows = train_rows(
        np.array([[1, 10.0], [2, 20], [6, 30], [NAN, 40]]), [True, False, False, True]
    )
    after = ONE.fit(rows).apply(rows)
    assert after.columns == (*rows.columns, "radiomics.tumour.00:absent")
    assert after.modalities == ("radiomics.tumour",) * 3
    np.testing.assert_array_equal(after.values, [[1, 10, 0], [2, 20, 0], [6, 30, 0], [2, 40, 1]])


def test_an_infinite_value_counts_as_absent() -> None:
    rows = train_rows(np.array([[1.0], [3.0], [np.inf], [-np.inf]]), [True, False, False, True])
    np.testing.assert_array_equal(ONE.fit(rows).apply(rows).values[:, 0], [1, 3, 2, 2])


def test_a_modality_that_a_patient_lacks_is_one_column_not_one_per_feature() -> None:
    values = np.array([[1.0, 2, 3], [4, 5, 6], [NAN, NAN, NAN], [7, 8, NAN]])
    rows = train_rows(values, [True, False, False, True], ["ring", "ring", "clinical"])
    fitted = ONE.fit(rows)
    assert [group.name for group in fitted.indicators] == ["ring.00:absent", "clinical.02:absent"]
    np.testing.assert_array_equal(
        fitted.apply(rows).values[:, 3:], [[0, 0], [0, 0], [1, 1], [0, 1]]
    )


def test_half_a_group_absent_is_half_an_indicator() -> None:
    values = np.array([[1.0, 2], [3, 4], [NAN, NAN]])
    rows = train_rows(values, [True, False, False])
    fitted = ONE.fit(rows)
    half = replace(rows, values=np.array([[1.0, NAN], [3, 4], [NAN, NAN]]))
    np.testing.assert_array_equal(fitted.apply(half).values[:, 2], [0.5, 0, 1])


def test_too_few_gaps_to_learn_from_get_no_column() -> None:
    values = np.arange(12.0)[:, np.newaxis].repeat(3, axis=1)
    values[:4, 0] = NAN
    values[:5, 1] = NAN
    values[:8, 2] = NAN
    rows = train_rows(values, [True, False] * 6)
    names = [group.name for group in MedianImputation().fit(rows).indicators]
    assert names == ["radiomics.tumour.01:absent"]


def test_a_column_that_no_training_case_has_goes() -> None:
    rows = train_rows(np.array([[NAN, 1.0], [NAN, 2.0]]), [True, False])
    after = ONE.fit(rows).apply(replace(rows, values=np.array([[9.0, 1.0], [9.0, 2.0]])))
    assert after.columns == ("radiomics.tumour.01",)
    nothing = train_rows(np.full((2, 2), NAN), [True, False])
    assert ONE.fit(nothing).apply(nothing).values.shape == (2, 0)


def test_complete_rows_stay_as_they_are() -> None:
    rows = train_rows(np.eye(3), [True, False, False])
    after = ONE.fit(rows).apply(rows)
    assert after.columns == rows.columns
    np.testing.assert_array_equal(after.values, rows.values)


def test_an_indicator_needs_somebody() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        MedianImputation(fewest_for_indicator=0)
