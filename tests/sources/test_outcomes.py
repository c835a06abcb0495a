"""Outcomes: 0/1 as told, or an event within a horizon; nothing is decided in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.outcome import Outcome
from hnmets.sources.finding import Finding, Findings
from hnmets.sources.outcomes import OutcomeRule, read_outcomes

Told = tuple[str, str, str]


def rule(**settings: object) -> OutcomeRule:
    columns = {"event": "dm", "event_time": "dm_days", "follow_up": "fu_days"}
    return OutcomeRule(**(columns | settings))  # type: ignore[arg-type]


def judge(
    outcome_rule: OutcomeRule, *rows: Told
) -> tuple[list[Outcome | CaseError], tuple[Finding, ...]]:
    findings = Findings()
    columns = ("dm", "dm_days", "fu_days")
    numbered = [
        (number, dict(zip(columns, row, strict=True))) for number, row in enumerate(rows, start=2)
    ]
    return read_outcomes(outcome_rule, numbered, findings), findings.collected()


def only(outcome_rule: OutcomeRule, *told: str) -> Outcome | Code:
    dm, dm_days, fu_days = told
    (result,), _ = judge(outcome_rule, (dm, dm_days, fu_days))
    return result.code if isinstance(result, CaseError) else result


def test_the_event_counts_from_its_date_and_its_absence_to_the_last_follow_up() -> None:
    assert only(rule(), "1", "500", "900") == Outcome(event=True, time_days=500.0)
    assert only(rule(), "0", "", "900") == Outcome(event=False, time_days=900.0)


def test_a_table_without_times_has_outcomes_without_times() -> None:
    binary = OutcomeRule(event="dm")
    assert only(binary, "1", "ignored", "ignored") == Outcome(event=True)


@pytest.mark.parametrize(
    ("text", "event"), [("1", True), ("1.0", True), ("0", False), ("0.0", False)]
)
def test_zero_and_one_are_understood_as_such(text: str, event: bool) -> None:
    assert only(OutcomeRule(event="dm"), text, "", "") == Outcome(event=event)


def test_other_spellings_need_a_map() -> None:
    mapped = OutcomeRule(event="dm", values={"1": ("yes",), "0": ("no",)}, missing=("?",))
    results, findings = judge(
        mapped, ("yes", "", ""), ("no", "", ""), ("?", "", ""), ("Yes", "", "")
    )
    assert results[:2] == [Outcome(event=True), Outcome(event=False)]
    assert [r.code for r in results[2:] if isinstance(r, CaseError)] == [Code.OUTCOME_MISSING] * 2
    assert [(f.value, f.rows, f.problem) for f in findings] == [
        ("Yes", (5,), "neither 0 nor 1, and not among `values`")
    ]


DISORDER = [
    (("1", "", "900"), "event without a date"),
    (("1", "-3", "900"), "event at or before the diagnosis (day -3)"),
    (("1", "0", "900"), "event at or before the diagnosis (day 0)"),
    (("1", "725", "670"), "event on day 725, after the last follow-up on day 670"),
    (("0", "500", "900"), "no event, but a date of it (day 500)"),
    (("0", "", "-1"), "follow-up ends before the diagnosis (day -1)"),
]


@pytest.mark.parametrize(("told", "problem"), DISORDER)
def test_a_binary_outcome_keeps_what_is_undated_or_misdated_with_a_warning(
    told: Told, problem: str
) -> None:
    (result,), (finding,) = judge(rule(), told)
    assert result == Outcome(event=told[0] == "1", time_days=None)
    assert (finding.code, finding.problem, finding.rows) == (Code.OUTCOME_ORDER, problem, (2,))
    assert finding.done == "case kept, its time not used: the outcome has no horizon"


@pytest.mark.parametrize(("told", "problem"), DISORDER)
def test_a_dated_outcome_leaves_it_out(told: Told, problem: str) -> None:
    (result,), findings = judge(rule(horizon_months=24), told)
    assert isinstance(result, CaseError)
    assert (result.code, result.detail, findings) == (Code.OUTCOME_ORDER, problem, ())


def test_event_on_the_day_of_the_last_follow_up_is_in_order() -> None:
    assert only(rule(horizon_days=730), "1", "670", "670") == Outcome(event=True, time_days=670.0)


def test_the_horizon_splits_early_from_late_events_and_short_from_long_follow_up() -> None:
    two_years = rule(horizon_months=24)
    # 24 months of 30.4375 days
    assert two_years.horizon == 730.5
    assert only(two_years, "1", "730", "900") == Outcome(event=True, time_days=730.0)
    assert only(two_years, "1", "731", "900") == Outcome(event=False, time_days=730.5)
    assert only(two_years, "0", "", "731") == Outcome(event=False, time_days=730.5)
    assert only(two_years, "0", "", "730") == Code.OUTCOME_CENSORED
    assert only(two_years, "0", "", "") == Code.OUTCOME_MISSING
    assert only(two_years, "1", "100", "") == Outcome(event=True, time_days=100.0)


def test_censored_patients_can_be_kept_and_are_counted() -> None:
    results, findings = judge(
        rule(horizon_days=730, censored="keep-negative"), ("0", "", "100"), ("0", "", "800")
    )
    assert results == [Outcome(event=False, time_days=100.0), Outcome(event=False, time_days=730)]
    assert [(f.code, f.rows) for f in findings] == [(Code.OUTCOME_CENSORED, (2,))]


def test_times_in_months_and_with_decimal_comma_become_days() -> None:
    in_months = rule(time_unit="months")
    assert only(in_months, "1", "10", "20") == Outcome(event=True, time_days=304.375)
    assert only(in_months, "0", "", "1,5") == Outcome(event=False, time_days=45.65625)


def test_a_time_that_is_no_number_is_named() -> None:
    results, findings = judge(rule(), ("1", "TBD", "900"))
    assert results == [Outcome(event=True, time_days=None)]
    assert [(f.column, f.value, f.code) for f in findings] == [
        ("dm_days", "TBD", Code.TABLE_VALUE),
        ("dm_days", "TBD", Code.OUTCOME_ORDER),
    ]


@given(
    told=st.tuples(
        st.sampled_from(["0", "1"]),
        st.one_of(st.just(""), st.integers(-100, 2000).map(str)),
        st.one_of(st.just(""), st.integers(-100, 2000).map(str)),
    ),
    near=st.integers(1, 2000),
    far=st.integers(1, 2000),
)
def test_a_later_horizon_never_takes_an_event_away(told: Told, near: int, far: int) -> None:
    near, far = sorted((near, far))
    before, after = (only(rule(horizon_days=days), *told) for days in (near, far))
    if isinstance(before, Outcome) and before.event:
        assert isinstance(after, Outcome)
        assert after.event


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon_days": 1.0, "horizon_months": 1.0}, "not both"),
        ({"horizon_days": 0.0}, "later than the diagnosis"),
        ({"horizon_days": 1.0, "follow_up": None}, "needs `event_time` and `follow_up`"),
        ({"values": {"yes": ("ja",)}}, '"1" and "0"'),
    ],
)
def test_a_rule_that_cannot_work_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rule(**settings)


def test_a_death_without_the_event_is_told_from_a_loss() -> None:
    columns = ("dm", "dm_days", "fu_days", "dead")
    told = [
        ("1", "50", "90", "1"),
        ("0", "", "90", "1"),
        ("0", "", "90", "0"),
        ("0", "", "90", ""),
    ]
    rows = [(n, dict(zip(columns, row, strict=True))) for n, row in enumerate(told, start=2)]
    results = read_outcomes(rule(death="dead"), rows, Findings())
    assert [r.died for r in results if isinstance(r, Outcome)] == [False, True, False, None]
    assert rule(death="dead").columns["death"] == "dead"


def test_a_death_that_is_neither_yes_nor_no_is_a_finding() -> None:
    findings = Findings()
    cells = {"dm": "0", "dm_days": "", "fu_days": "90", "dead": "perhaps"}
    (result,) = read_outcomes(rule(death="dead"), [(2, cells)], findings)
    assert result == Outcome(event=False, time_days=90.0)
    (finding,) = findings.collected()
    assert (finding.column, finding.value) == ("dead", "perhaps")


def test_who_was_watched_beyond_the_horizon_had_not_died_by_it() -> None:
    columns = ("dm", "dm_days", "fu_days", "dead")
    cells = dict(zip(columns, ("0", "", "900", "1"), strict=True))
    (result,) = read_outcomes(rule(death="dead", horizon_days=730), [(2, cells)], Findings())
    assert result == Outcome(event=False, time_days=730.0)
