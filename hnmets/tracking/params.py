"""Settings of a study as the flat, short texts that a table of runs can show."""

import json
from collections.abc import Iterator, Mapping

_MOST_ITEMS = 20


def flattened(settings: Mapping[str, object], *, counted: tuple[str, ...] = ()) -> dict[str, str]:
    """Return one text per setting, under its dotted name.

    Parameters
    ----------
    settings
        Nested as in the study file, or with dotted names already.
    counted
        Dotted names of lists of which only the length may be told, such as lists of cases.

    Examples
    --------
    >>> flattened({"split": {"folds": 5}, "cohort": {"exclude": ["HN-1"]}},
    ...           counted=("cohort.exclude",))
    {'split.folds': '5', 'cohort.exclude': '1 entry'}
    """
    return {
        name: _count(value) if name in counted else _text(value)
        for name, value in _leaves(settings)
        if value is not None
    }


def _leaves(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) if len(value) <= _MOST_ITEMS else _count(value)
    return json.dumps(value, default=str)


def _count(value: object) -> str:
    n_entries = len(value) if isinstance(value, list | tuple | set | frozenset) else 1
    return "1 entry" if n_entries == 1 else f"{n_entries} entries"
