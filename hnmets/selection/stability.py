"""How often the same columns are chosen: one fold's choice is one draw."""

from collections import Counter
from collections.abc import Collection, Sequence


def selection_frequency(chosen: Sequence[Collection[str]]) -> dict[str, float]:
    """Return in what share of the folds each column was chosen, most often first.

    Parameters
    ----------
    chosen
        Columns chosen in each fold.

    Examples
    --------
    >>> selection_frequency([{"a", "b"}, {"b"}])
    {'b': 1.0, 'a': 0.5}
    """
    counted = Counter(column for columns in chosen for column in set(columns))
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return {column: count / len(chosen) for column, count in ordered}


def selection_stability(chosen: Sequence[Collection[str]], candidates: int) -> float | None:
    """Agreement of the folds' choices: 1 where all are equal, about 0 where they are chance.

    Parameters
    ----------
    chosen
        Columns chosen in each fold, two folds at least.
    candidates
        Columns that could have been chosen.

    Returns
    -------
    float or None
        None where it is not defined: every fold chose nothing, or everything.

    Raises
    ------
    ValueError
        If there are fewer than two folds, or more columns were chosen than could be.

    References
    ----------
    Nogueira, Sechidis and Brown, JMLR 18(174), 2018, definition 4.

    Examples
    --------
    >>> selection_stability([{"a", "b"}, {"a", "b"}], candidates=10)
    1.0
    """
    folds = len(chosen)
    frequency = selection_frequency(chosen)
    if folds < 2 or len(frequency) > candidates:
        raise ValueError(f"{folds} folds chose {len(frequency)} different of {candidates} columns")
    share = sum(len(set(columns)) for columns in chosen) / folds / candidates
    if share in (0.0, 1.0):
        return None
    # Columns that were never chosen have variance 0.
    variance = sum(p * (1 - p) for p in frequency.values()) * folds / (folds - 1) / candidates
    return 1 - variance / (share * (1 - share))
