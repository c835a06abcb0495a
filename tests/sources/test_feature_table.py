import numpy as np
import pytest

from hnmets.sources.feature_table import FeatureTable, outcome_like, read_column


def table(**columns: list[float]) -> FeatureTable:
    values = {name: np.array(column) for name, column in columns.items()}
    cases = tuple(f"P{n}" for n in range(len(next(iter(columns.values())))))
    return FeatureTable(case_ids=cases, columns=tuple(columns), values=values)


def test_a_column_that_separates_forty_patients_is_named_with_its_auc() -> None:
    events = {f"P{n}": n < 20 for n in range(40)}
    separating = [100.0 + n for n in range(20)] + [float(n) for n in range(20)]
    mixed = [float(n % 7) for n in range(40)]
    found = outcome_like(table(x=separating, y=mixed), events)
    assert found == {"x": "tells the outcome apart with AUC 1.00"}
    flipped = {case: not event for case, event in events.items()}
    assert outcome_like(table(x=separating), flipped) == {
        "x": "tells the outcome apart with AUC 0.00"
    }


def test_a_copy_of_the_outcome_is_named_however_few_the_cases() -> None:
    events = {"P0": True, "P1": False, "P2": False}
    assert outcome_like(table(x=[7.0, 3.0, 3.0], y=[7.0, 3.0, 2.0]), events) == {
        "x": "follows the outcome in every case"
    }


@pytest.mark.parametrize(
    ("cells", "numbers"), [(["1", "2.5"], True), (["", "3"], True), (["1", "x"], False)]
)
def test_a_column_is_numeric_only_where_every_cell_is(cells: list[str], numbers: bool) -> None:
    assert isinstance(read_column(cells), np.ndarray) is numbers
