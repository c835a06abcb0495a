import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.cohort import CohortFlow, Exclusion, MissingValues


def flow(counts: list[int], *, read: int, included: int) -> CohortFlow:
    steps = tuple(Exclusion(step="images", reason=f"{n}", count=c) for n, c in enumerate(counts))
    return CohortFlow(read=read, exclusions=steps, included=included, patients=included, events=0)


@given(counts=st.lists(st.integers(0, 50), max_size=6), included=st.integers(0, 500))
def test_what_remains_at_the_end_is_what_was_included(counts: list[int], included: int) -> None:
    found = flow(counts, read=included + sum(counts), included=included)
    assert (found.read, *found.remaining)[-1] == included


@given(
    counts=st.lists(st.integers(0, 50), max_size=6),
    included=st.integers(0, 500),
    lost=st.integers(-5, 5).filter(bool),
)
def test_a_case_without_a_reason_is_refused(counts: list[int], included: int, lost: int) -> None:
    with pytest.raises(InvalidDataError, match="cases read"):
        flow(counts, read=included + sum(counts) + lost, included=included)


def test_more_events_than_patients_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="6 events of 5 patients in 5 cases"):
        CohortFlow(read=5, included=5, patients=5, events=6)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="negative"):
        flow([-1], read=4, included=5)
    with pytest.raises(InvalidDataError, match="alcohol: a negative count"):
        MissingValues(variable="alcohol", known=-1, missing=2, handling="indicator")
