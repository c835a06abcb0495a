"""The body of a request as JSON that means one thing: no NaN, no key twice, no endless depth."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from hnmets.serving.problems import Problem, invalid

# No honest request of the service has so many brackets open, those inside of texts included.
_DEEPEST = 16
_BRACKETS = re.compile(rb"[\[\]{}]")


def json_of(body: bytes, *, deepest: int = _DEEPEST) -> object:
    """Read a body.

    Parameters
    ----------
    deepest
        Most brackets that are open at a time, those inside of texts included.

    Raises
    ------
    Problem
        If it is not UTF-8, no JSON, has NaN or an infinity, a key twice, or is nested deeper
        than any request.
    """
    _require_shallow(body, deepest)
    try:
        document: object = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise invalid("the body is no JSON", code="no_json") from None
    return document


def _require_shallow(body: bytes, deepest: int) -> None:
    """Refuse what could be deep before a parser goes down into it."""
    depth = 0
    for bracket in _BRACKETS.finditer(body):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > deepest:
            raise invalid("the body is nested too deep", code="too_deep")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _refused("a key stands twice")
    return found


def _no_number(_text: str) -> NoReturn:
    raise _refused("a value is not finite")


def _refused(message: str) -> Problem:
    return invalid(message)
