"""The outcome of each case: 0/1 as the table says, or an event within a horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.outcome import Outcome
from hnmets.sources.clinical import is_missing, spellings_of
from hnmets.sources.finding import Findings
from hnmets.sources.number import decimal_sign, parse_number, why_not

DAYS_PER_MONTH = 30.4375  # 365.25 / 12, the convention of survival analyses
_DAYS_PER_UNIT = {"days": 1.0, "months": DAYS_PER_MONTH, "years": 365.25}
_EVENT = {"1": ("1.0",), "0": ("0.0",)}


@dataclass(frozen=True, kw_only=True)
class OutcomeRule:
    """Which columns hold the endpoint, and what counts as an event.

    Parameters
    ----------
    name
        What people call it: distant metastasis.
    event
        Column with 0 or 1.
    values
        Other spellings: `"1" = ["yes"]`, `"0" = ["no"]`.
    missing
        Spellings of unknown in these columns; an empty cell always is.
    event_time, follow_up
        Columns with the time from diagnosis to the event and to the last follow-up.
    death
        Column with 0 or 1: dead at the last follow-up. Who died without the event can no
        longer get it, and is no patient who was lost.
    time_unit
        Unit of both: days, months of 30.4375 days, years of 365.25 days.
    horizon_days, horizon_months
        Only events up to the horizon count; needs both times. Later events are none.
    censored
        Patients without an event whose follow-up ends before the horizon: `exclude` them, or
        `keep-negative` as patients without the event. Both are counted.
    """

    event: str
    name: str = "distant metastasis"
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    event_time: str | None = None
    follow_up: str | None = None
    death: str | None = None
    time_unit: Literal["days", "months", "years"] = "days"
    horizon_days: float | None = None
    horizon_months: float | None = None
    censored: Literal["exclude", "keep-negative"] = "exclude"

    def __post_init__(self) -> None:
        """Check that the settings fit each other."""
        if not set(self.values) <= set(_EVENT):
            raise ValueError('`values` of the outcome are "1" and "0"')
        if self.horizon_days is not None and self.horizon_months is not None:
            raise ValueError("give `horizon_days` or `horizon_months`, not both")
        if self.horizon is None:
            return
        if self.horizon <= 0:
            raise ValueError("the horizon must be later than the diagnosis")
        if self.event_time is None or self.follow_up is None:
            raise ValueError("a horizon needs `event_time` and `follow_up`")

    @property
    def horizon(self) -> float | None:
        """The horizon in days; None where the outcome has none."""
        if self.horizon_months is not None:
            return self.horizon_months * DAYS_PER_MONTH
        return self.horizon_days

    @property
    def columns(self) -> dict[str, str]:
        """The outcome's columns by the setting that names them."""
        named = {
            "event": self.event,
            "event_time": self.event_time,
            "follow_up": self.follow_up,
            "death": self.death,
        }
        return {setting: column for setting, column in named.items() if column is not None}


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the table tells of one case: times in days, and the cells as they stand."""

    row: int
    event: bool | None
    event_days: float | None
    follow_up_days: float | None
    dead: bool | None
    cells: Mapping[str, str]


def read_outcomes(
    rule: OutcomeRule, rows: Sequence[tuple[int, Mapping[str, str]]], findings: Findings
) -> list[Outcome | CaseError]:
    """Return each row's outcome, or why it has none that can be used.

    Without a horizon the event alone counts: one whose date is absent or impossible is kept,
    with a finding and without its time. With a horizon such a case is left out, and so is, by
    `censored`, one whose follow-up is too short.

    Parameters
    ----------
    rows
        Row number and cells of each case.
    findings
        Receives what was not understood and what was kept in spite of a contradiction.
    """
    absent: list[float | None] = [None] * len(rows)
    times = {
        setting: _days(rule, column, [(row, cells[column]) for row, cells in rows], findings)
        for setting, column in rule.columns.items()
        if setting in {"event_time", "follow_up"}
    }
    dead = _flags(rule, rule.death, rows, findings) if rule.death else [None] * len(rows)
    told = [
        _Told(row=row, event=event, event_days=at, follow_up_days=until, dead=gone, cells=cells)
        for (row, cells), event, gone, at, until in zip(
            rows,
            _flags(rule, rule.event, rows, findings),
            dead,
            times.get("event_time", absent),
            times.get("follow_up", absent),
            strict=True,
        )
    ]
    return [_outcome(rule, case, findings) for case in told]


def _flags(
    rule: OutcomeRule,
    column: str,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    findings: Findings,
) -> list[bool | None]:
    meanings = spellings_of(_EVENT) | spellings_of(rule.values)
    flags: list[bool | None] = []
    for row, cells in rows:
        text = cells[column]
        known = text in meanings and not is_missing(text, rule.missing)
        flags.append(meanings[text] == "1" if known else None)
        if not known and not is_missing(text, rule.missing):
            problem = "neither 0 nor 1, and not among `values`"
            findings.add(row=row, column=column, value=text, problem=problem)
    return flags


def _days(
    rule: OutcomeRule, column: str, cells: Sequence[tuple[int, str]], findings: Findings
) -> list[float | None]:
    sign = decimal_sign(text for _, text in cells)
    days: list[float | None] = []
    for row, text in cells:
        number = None if is_missing(text, rule.missing) else parse_number(text, sign)
        if number is None and not is_missing(text, rule.missing):
            findings.add(row=row, column=column, value=text, problem=why_not(text))
        days.append(None if number is None else number * _DAYS_PER_UNIT[rule.time_unit])
    return days


def _outcome(rule: OutcomeRule, told: _Told, findings: Findings) -> Outcome | CaseError:
    if told.event is None:
        return CaseError(Code.OUTCOME_MISSING, f"'{rule.event}' says neither 0 nor 1")
    setting, problem = _disorder(rule, told)
    if rule.horizon is not None:
        if problem:
            return CaseError(Code.OUTCOME_ORDER, problem)
        return _by_horizon(rule, rule.horizon, told, findings)
    if not problem:
        days = told.event_days if told.event else told.follow_up_days
        return Outcome(event=told.event, time_days=days, died=_died(told))
    column = rule.columns[setting]
    findings.add(
        row=told.row,
        column=column,
        value=told.cells[column],
        problem=problem,
        done="case kept, its time not used: the outcome has no horizon",
        code=Code.OUTCOME_ORDER,
    )
    return Outcome(event=told.event, died=_died(told))


def _died(told: _Told) -> bool | None:
    """Return whether the follow-up ended by death without the event."""
    return None if told.dead is None else told.dead and not told.event


def _disorder(rule: OutcomeRule, told: _Told) -> tuple[str, str]:
    """Return the setting whose date cannot be right, and why; empty where all is in order."""
    at, until = told.event_days, told.follow_up_days
    if until is not None and until < 0:
        return "follow_up", f"follow-up ends before the diagnosis (day {until:g})"
    if rule.event_time is None:
        return "", ""
    problem = ""
    if not told.event:
        problem = "" if at is None else f"no event, but a date of it (day {at:g})"
    elif at is None:
        problem = "event without a date"
    elif at <= 0:
        problem = f"event at or before the diagnosis (day {at:g})"
    elif until is not None and at > until:
        problem = f"event on day {at:g}, after the last follow-up on day {until:g}"
    return "event_time", problem


def _by_horizon(
    rule: OutcomeRule, horizon: float, told: _Told, findings: Findings
) -> Outcome | CaseError:
    if told.event and told.event_days is not None:
        # An event after the horizon is none: the patient was free of it that long.
        return Outcome(event=told.event_days <= horizon, time_days=min(told.event_days, horizon))
    until = told.follow_up_days
    if until is None:
        return CaseError(Code.OUTCOME_MISSING, "no event and no last follow-up")
    if until >= horizon:
        return Outcome(event=False, time_days=horizon)
    problem = f"followed for {until:g} days without event, the horizon is {horizon:g}"
    if rule.censored == "exclude":
        return CaseError(Code.OUTCOME_CENSORED, problem)
    findings.add(
        row=told.row,
        column=rule.columns["follow_up"],
        value=told.cells[rule.columns["follow_up"]],
        problem=problem,
        done='kept as negative by `censored = "keep-negative"`',
        code=Code.OUTCOME_CENSORED,
    )
    return Outcome(event=False, time_days=until, died=_died(told))
