"""A column that is the outcome over again is found; chance and ids are not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hnmets.sources.outcome_copy import outcome_copy

# Forty cases, eight events.
EVENTS: NDArray[np.bool_] = np.arange(40) < 8
COPY: list[object] = ["yes" if event else "no" for event in EVENTS]


def changed(column: list[object], **cells: object) -> list[object]:
    return [cells.get(f"at{place}", value) for place, value in enumerate(column)]


@pytest.mark.parametrize(
    ("column", "how"),
    [
        (COPY, "follows the outcome in every case"),
        (changed(COPY, at3=None), "follows the outcome in every case that has a value"),
        (changed(COPY, at30=None), "follows the outcome in every case that has a value"),
        (changed(COPY, at3="no"), "follows the outcome in 98% of the cases that have a value"),
        (changed(COPY, at30="yes"), "follows the outcome in 98% of the cases that have a value"),
        (
            changed(COPY, at0="lung", at1="lung", at2="lung", at30=None),
            "follows the outcome in 100% of the cases that have a value",
        ),
        (
            [f"day {n}" if n < 8 else None for n in range(40)],
            "has a value or none as the outcome goes, in 100% of the cases",
        ),
        (
            [0.0 if n < 4 else 2.0 if n < 8 else 1.0 for n in range(40)],
            "follows the outcome in 100% of the cases that have a value",
        ),
    ],
)
def test_a_copy_is_found_although_cells_differ_or_are_empty(
    column: list[object], how: str
) -> None:
    assert outcome_copy(column, EVENTS, n_columns=20) == how


@pytest.mark.parametrize(
    "column",
    [
        [f"P{n}" for n in range(40)],
        ["same"] * 40,
        [None] * 40,
        ["f" if n % 2 else "m" for n in range(40)],
        # Four of forty cells differ: one right in 90 %.
        changed(COPY, at7="no", at20="yes", at21="yes", at22="yes"),
        # Two cells alone say nothing about the others.
        ["yes", *[None] * 38, "no"],
    ],
)
def test_what_does_not_follow_the_outcome_is_no_copy(column: list[object]) -> None:
    assert outcome_copy(column, EVENTS, n_columns=20) is None


def test_a_rare_category_of_events_alone_is_no_copy() -> None:
    # 294 of 300 are right, but 285 would be right by saying `no` to everybody.
    events = np.arange(300) < 15
    column = ["N3" if n < 9 else "N1" for n in range(300)]
    assert np.mean([(c == "N3") == e for c, e in zip(column, events, strict=True)]) == 0.98
    assert outcome_copy(column, events, n_columns=10) is None


def test_columns_drawn_without_regard_to_the_outcome_are_no_copies() -> None:
    rng = np.random.default_rng(7)
    events = rng.random(120) < 0.1
    for levels in (2, 3, 20, 110):
        for _ in range(200):
            column = rng.integers(levels, size=120).tolist()
            assert outcome_copy(column, events, n_columns=200) is None
