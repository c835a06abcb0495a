import numpy as np
import pytest

from hnmets.datasets.rows import HeldOutRows, Rows, TrainRows


def rows() -> TrainRows:
    return TrainRows(
        case_ids=("A", "B", "C"),
        patient_ids=("p", "q", "r"),
        columns=("size.tumour.volume", "clinical.age"),
        modalities=("size.tumour", "clinical"),
        values=np.array([[1.0, 60.0], [2.0, 50.0], [3.0, 40.0]]),
        outcome=np.array([True, False, False]),
    )


def test_rows_are_taken_in_the_order_asked_for() -> None:
    taken = rows().among([2, 0])
    assert (taken.case_ids, taken.patient_ids) == (("C", "A"), ("r", "p"))
    np.testing.assert_array_equal(taken.values, [[3.0, 40.0], [1.0, 60.0]])
    np.testing.assert_array_equal(taken.outcome, [False, True])


def test_columns_keep_their_modality() -> None:
    taken = rows().of_columns([1])
    assert (taken.columns, taken.modalities) == (("clinical.age",), ("clinical",))
    np.testing.assert_array_equal(taken.values, [[60.0], [50.0], [40.0]])


def test_what_is_made_of_training_rows_stays_training_rows() -> None:
    assert type(rows().among([0]).of_columns([0])) is TrainRows


def test_rows_to_score_are_no_rows_to_learn_from() -> None:
    assert not issubclass(HeldOutRows, TrainRows)
    assert issubclass(HeldOutRows, Rows)


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("values", np.zeros((3, 1)), "3 cases and 2 columns"),
        ("outcome", np.array([True]), "as many patients and outcomes"),
        ("patient_ids", ("p",), "as many patients and outcomes"),
        ("modalities", ("clinical",), "as many modalities"),
        ("columns", ("clinical.age", "clinical.age"), "two columns have one name"),
    ],
)
def test_parts_that_do_not_fit_are_refused(part: str, wrong: object, message: str) -> None:
    parts = vars(rows()) | {part: wrong}
    with pytest.raises(ValueError, match=message):
        TrainRows(**parts)
