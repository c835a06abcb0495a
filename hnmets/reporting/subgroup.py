"""Rows of the subgroup table, without the small cells that could point at a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.evaluation.subgroups import Subgroup

SMALL_CELL = 10
UNKNOWN = "not recorded"
_WITH_ANOTHER = "hidden: with it the count of a small group could be worked out"


@dataclass(frozen=True, kw_only=True)
class SubgroupRow:
    """One group of patients.

    Parameters
    ----------
    n, events
        None where the count is suppressed.
    auc, intercept, slope
        None where not estimable.
    why_not
        Why a number is missing; empty where none is.
    """

    variable: str
    group: str
    n: int | None
    events: int | None
    auc: Estimate | None = None
    intercept: Estimate | None = None
    slope: Estimate | None = None
    why_not: str = ""


def subgroup_rows(
    variable: str, table: Sequence[Subgroup], *, least: int = SMALL_CELL
) -> tuple[SubgroupRow, ...]:
    """Suppress every count below `least`, and one more where the total would give it away.

    The groups of a variable add up to the cohort, whose size is known: a single hidden count
    is that sum minus the others. So the smallest of the others is hidden with it.

    Parameters
    ----------
    table
        All groups of one variable.
    """
    no_n = _with_another([row.n for row in table], [row.n < least for row in table])
    few = [min(row.events, row.n - row.events) < least for row in table]
    no_events = _with_another([row.events for row in table], few)
    return tuple(
        _hidden(variable, row, with_n=not no_n[place])
        # An estimate carries its counts: where they are hidden it is too.
        if no_n[place] or no_events[place]
        else _shown(variable, row)
        for place, row in enumerate(table)
    )


def _with_another(counts: Sequence[int], hidden: Sequence[bool]) -> list[bool]:
    shown = [place for place, is_hidden in enumerate(hidden) if not is_hidden]
    if sum(hidden) != 1 or not shown:
        return list(hidden)
    other = min(shown, key=lambda place: counts[place])
    return [is_hidden or place == other for place, is_hidden in enumerate(hidden)]


def _hidden(variable: str, row: Subgroup, *, with_n: bool) -> SubgroupRow:
    return SubgroupRow(
        variable=variable,
        group=row.name or UNKNOWN,
        n=row.n if with_n else None,
        events=None,
        why_not=f"not estimable: {row.auc.reason}"
        if isinstance(row.auc, NotEstimable)
        else _WITH_ANOTHER,
    )


def _shown(variable: str, row: Subgroup) -> SubgroupRow:
    found = row.calibration
    intercept, slope = (
        (found, found) if isinstance(found, NotEstimable) else (found.intercept, found.slope)
    )
    missing = [one for one in (row.auc, intercept, slope) if isinstance(one, NotEstimable)]
    reasons = dict.fromkeys(f"not estimable: {one.reason}" for one in missing)
    return SubgroupRow(
        variable=variable,
        group=row.name or UNKNOWN,
        n=row.n,
        events=row.events,
        auc=_known(row.auc),
        intercept=_known(intercept),
        slope=_known(slope),
        why_not="; ".join(reasons),
    )


def _known(measured: Measured) -> Estimate | None:
    return measured if isinstance(measured, Estimate) else None
