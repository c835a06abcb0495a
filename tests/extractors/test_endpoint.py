import pytest

from hnmets.domain.case import Case
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.outcome import Outcome
from hnmets.extractors.endpoint import Endpoint

WITHIN_TWO_YEARS = Endpoint(definition={"event": "DM", "horizon_days": 730})


def case(outcome: Outcome | None) -> Case:
    return Case(case_id="P01", patient_id="P01", outcome=outcome)


def test_event_and_time_are_typed_columns() -> None:
    row = WITHIN_TWO_YEARS.row(case(Outcome(event=True, time_days=321.0)))
    assert row.values == (True, 321.0)
    assert row.reasons == {}
    assert WITHIN_TWO_YEARS.recipe.columns == ("event", "time_days")
    assert WITHIN_TWO_YEARS.recipe.types == ("bool", "double")


def test_an_outcome_without_a_date_has_a_reason() -> None:
    row = WITHIN_TWO_YEARS.row(case(Outcome(event=False)))
    assert row.values == (False, None)
    assert row.reasons == {"time_days": "not recorded"}


def test_a_case_without_an_outcome_is_refused() -> None:
    with pytest.raises(CaseError, match="the case has no outcome") as caught:
        WITHIN_TWO_YEARS.row(case(None))
    assert caught.value.code is Code.OUTCOME_MISSING


def test_another_horizon_is_another_recipe() -> None:
    other = Endpoint(definition={"event": "DM", "horizon_days": 1095})
    assert other.recipe.fingerprint != WITHIN_TWO_YEARS.recipe.fingerprint


def test_another_outcome_is_another_input() -> None:
    rows = [
        WITHIN_TWO_YEARS.row(case(Outcome(event=event, time_days=time)))
        for event, time in ((True, 10.0), (False, 10.0), (True, 11.0), (True, None))
    ]
    assert len({row.input_digest for row in rows}) == 4


def test_deaths_are_a_column_where_the_study_tells_of_them() -> None:
    with_deaths = Endpoint(definition={"event": "DM", "death": "dead"})
    assert with_deaths.recipe.columns == ("event", "time_days", "died")
    row = with_deaths.row(case(Outcome(event=False, time_days=90.0, died=True)))
    assert row.values == (False, 90.0, True)
    unknown = with_deaths.row(case(Outcome(event=False, time_days=90.0)))
    assert unknown.reasons == {"died": "not recorded"}
