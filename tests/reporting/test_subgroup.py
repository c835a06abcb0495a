from hypothesis import given
from hypothesis import strategies as st

from hnmets.evaluation.estimate import NotEstimable
from hnmets.evaluation.subgroups import Subgroup, subgroup_table
from hnmets.reporting.subgroup import subgroup_rows
from tests.builders_findings import BOOTSTRAP, simulated

_SMALL = "fewer than 10 patients with or without the event"


def group(name: str | None, n: int, events: int) -> Subgroup:
    none = NotEstimable(reason=_SMALL, n=n, events=events)
    return Subgroup(name=name, n=n, events=events, auc=none, calibration=none)


def test_a_small_group_has_neither_counts_nor_numbers() -> None:
    rows = subgroup_rows("site", [group("a", 4, 1), group("b", 5, 2), group("c", 100, 50)])
    assert [(row.n, row.events) for row in rows] == [(None, None), (None, None), (100, 50)]
    assert rows[0].why_not == f"not estimable: {_SMALL}"


def test_nobody_with_the_event_is_a_small_cell_too() -> None:
    rows = subgroup_rows("site", [group("a", 40, 0), group("b", 50, 3), group("c", 90, 40)])
    assert [(row.n, row.events) for row in rows] == [(40, None), (50, None), (90, 40)]


def test_the_total_does_not_give_a_hidden_count_away() -> None:
    # 104 patients are in the report: with b and c shown, a would be 104 - 100.
    rows = subgroup_rows("site", [group("a", 4, 1), group("b", 40, 20), group("c", 60, 30)])
    assert [row.n for row in rows] == [None, None, 60]
    assert [row.events for row in rows] == [None, None, 30]


def test_an_estimate_with_hidden_counts_is_hidden_with_them() -> None:
    cohort = simulated()
    groups = ["small" if place < 7 else "large" for place in range(len(cohort.outcome))]
    table = subgroup_table(cohort.predictions("volume"), groups, BOOTSTRAP)
    large, small = subgroup_rows("centre", table)
    assert (large.n, large.events, large.auc) == (None, None, None)
    assert large.why_not.startswith("hidden")
    assert small.why_not.startswith("not estimable")


@given(cells=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=6))
def test_no_count_below_ten_is_shown_or_follows_from_the_others(
    cells: list[tuple[int, int]],
) -> None:
    table = [group(f"{n}", with_ + others, with_) for n, (with_, others) in enumerate(cells)]
    rows = subgroup_rows("site", table)
    assert all(row.n is None or row.n >= 10 for row in rows)
    assert all(row.events is None or row.events >= 10 for row in rows)
    assert all(row.n - row.events >= 10 for row in rows if row.n and row.events)
    assert sum(row.n is None for row in rows) != 1
    assert sum(row.events is None for row in rows) != 1


def test_patients_of_whom_the_variable_is_unknown_have_a_row() -> None:
    (row,) = subgroup_rows("HPV", [group(None, 40, 20)])
    assert row.group == "not recorded"
