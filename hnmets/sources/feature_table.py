"""A table of features that others computed: what is odd about it, before anyone trusts it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from hnmets.sources.foresight import future_word
from hnmets.sources.number import decimal_sign, parse_number
from hnmets.sources.outcome_copy import outcome_copy

# A single honest feature does not reach this AUC for distant metastasis; a copy of the
# outcome does.
SUSPICIOUS_AUC = 0.95


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """Features by case, as they were read.

    Parameters
    ----------
    case_ids
        In the order of the table, each once.
    columns
        Feature names.
    values
        By column: float64 array (NaN where absent), or texts (None where absent).
    """

    case_ids: tuple[str, ...]
    columns: tuple[str, ...]
    values: Mapping[str, NDArray[np.float64] | tuple[str | None, ...]]

    @property
    def numbers(self) -> NDArray[np.float64]:
        """All numeric columns side by side, shape (cases, columns)."""
        numeric = [v for v in self.values.values() if isinstance(v, np.ndarray)]
        return np.column_stack(numeric) if numeric else np.empty((len(self.case_ids), 0))


def read_column(cells: Sequence[str]) -> NDArray[np.float64] | tuple[str | None, ...]:
    """Read a column as numbers where every cell is one (or empty), else as texts.

    Examples
    --------
    >>> read_column(["1,5", "", "2"])
    array([1.5, nan, 2. ])
    >>> read_column(["a", ""])
    ('a', None)
    """
    sign = decimal_sign(cells)
    numbers = [parse_number(cell, sign) if cell else float("nan") for cell in cells]
    if any(number is None for number in numbers):
        return tuple(cell or None for cell in cells)
    return np.array(numbers, dtype=np.float64)


def constant_columns(table: FeatureTable) -> list[str]:
    """Return the columns that have one value in every case, or none at all."""
    return [name for name, values in table.values.items() if len(_distinct(values)) < 2]


def duplicated_vectors(
    table: FeatureTable, patient_of: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """Return groups of cases of different patients with exactly the same features."""
    groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for number, case_id in enumerate(table.case_ids):
        vector = tuple(_comparable(values[number]) for values in table.values.values())
        groups[vector].append(case_id)
    return [
        tuple(group) for group in groups.values() if len({patient_of[case] for case in group}) > 1
    ]


def outcome_like(table: FeatureTable, event_of: Mapping[str, bool]) -> dict[str, str]:
    """Return the columns that tell the outcome apart too well, and how.

    Copies are found by `outcome_copy`. An AUC counts where chance does not explain it: among
    hundreds of columns of noise and two events some reach 1.
    """
    places = [n for n, case_id in enumerate(table.case_ids) if case_id in event_of]
    events = np.array([event_of[table.case_ids[n]] for n in places], dtype=bool)
    found = {}
    for name, values in table.values.items():
        column = [_comparable(values[n]) for n in places]
        if how := outcome_copy(column, events, n_columns=len(table.columns)):
            found[name] = how
        elif isinstance(values, np.ndarray):
            auc, p_value = _auc(values[places], events)
            if max(auc, 1 - auc) > SUSPICIOUS_AUC and p_value * len(table.columns) < 0.01:
                found[name] = f"tells the outcome apart with AUC {auc:.2f}"
    return found


def foreseeing_columns(table: FeatureTable) -> dict[str, str]:
    """Return the columns whose name smells of the future, with the word."""
    words = {name: future_word(name) for name in table.columns}
    return {name: word for name, word in words.items() if word}


def _auc(values: NDArray[np.float64], events: NDArray[np.bool_]) -> tuple[float, float]:
    """Area under the ROC curve and the p-value of the Mann–Whitney test behind it."""
    present = np.isfinite(values)
    positive, negative = values[present & events], values[present & ~events]
    if not positive.size or not negative.size:
        return 0.5, 1.0
    test = mannwhitneyu(positive, negative)
    return float(test.statistic) / (positive.size * negative.size), float(test.pvalue)


def _distinct(values: NDArray[np.float64] | tuple[str | None, ...]) -> set[object]:
    return {value for value in map(_comparable, values) if value is not None}


def _comparable(value: object) -> object:
    """Return the value, with NaN as None: NaN differs from itself."""
    return None if isinstance(value, float) and np.isnan(value) else value
