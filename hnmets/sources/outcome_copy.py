"""Whether a column is the outcome over again, word for word or nearly."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

# One cell in twenty may differ: a copy that somebody typed, or that was kept up to date longer.
_RIGHT = 0.95
# Where events are rare, "never" is right in most cases; kappa counts what is right beyond that.
_KAPPA = 0.8
_P_VALUE = 0.01


def outcome_copy(
    column: Sequence[object], events: NDArray[np.bool_], *, n_columns: int
) -> str | None:
    """Say how a column follows the outcome; None where it does not.

    A column with two values that follow the outcome is a copy, however few the cases are. One
    that nearly does counts where chance does not explain it, and so does one that is filled in
    for the events alone.

    Parameters
    ----------
    column
        One value per case, None where absent.
    events
        bool, shape (cases,).
    n_columns
        How many columns are looked at: among many some follow the outcome by chance.

    Examples
    --------
    >>> outcome_copy(["no", "yes", None, "no"], np.array([0, 1, 1, 0], bool), n_columns=1)
    'follows the outcome in every case that has a value'
    """
    known = np.array([value is not None for value in column], dtype=bool)
    values = [value for value in column if value is not None]
    if _is_copy(column, events):
        return "follows the outcome in every case"
    if 2 * len(values) >= len(column) and _is_copy(values, events[known]):
        return "follows the outcome in every case that has a value"
    if share := _agreement(values, events[known], n_columns):
        return f"follows the outcome in {share:.0%} of the cases that have a value"
    if share := _agreement(known.tolist(), events, n_columns):
        return f"has a value or none as the outcome goes, in {share:.0%} of the cases"
    return None


def _is_copy(column: Sequence[object], events: NDArray[np.bool_]) -> bool:
    """Whether two values stand for event and no event, without exception."""
    pairs = set(zip(column, events.tolist(), strict=True))
    return len(pairs) == 2 and len({value for value, _ in pairs}) == 2 and len(set(events)) == 2


def _agreement(
    values: Sequence[object], events: NDArray[np.bool_], n_columns: int
) -> float | None:
    """Return the share of cases whose event their value tells; None where that means little."""
    told = _told(values, events)
    both, share = int(np.sum(told & events)), float(np.mean(told == events)) if values else 0.0
    if share < _RIGHT or not both:
        return None
    often = told.mean() * events.mean()
    by_chance = float(often + (1 - told.mean()) * (1 - events.mean()))
    kappa = (share - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
    only_told, only_true = int(np.sum(told & ~events)), int(np.sum(~told & events))
    neither = len(events) - both - only_told - only_true
    test = fisher_exact([[both, only_told], [only_true, neither]], alternative="greater")
    by_luck = float(test.pvalue) * n_columns >= _P_VALUE
    return None if kappa < _KAPPA or by_luck else share


def _told(values: Sequence[object], events: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what most of the *other* cases of the same value had: an id tells nothing."""
    cases = Counter(values)
    with_event = Counter(value for value, event in zip(values, events, strict=True) if event)
    usual = 2 * int(events.sum()) > len(events)
    told = []
    for value, event in zip(values, events.tolist(), strict=True):
        others, positive = cases[value] - 1, with_event[value] - event
        told.append(usual if 2 * positive == others else 2 * positive > others)
    return np.array(told, dtype=bool)
