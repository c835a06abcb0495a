"""What a request to a tracking server must not say."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from hnmets.serving.problems import Problem
from hnmets.serving.strict_body import json_of

# Tags hold models' signatures and saved views of the pages as JSON in a text.
_DEEPEST = 100
# MLflow's own limit of a tag; it cuts longer ones off without a word.
LONGEST_VALUE = 8000
# Protocol buffers read both spellings.
_LOCATION = frozenset({"artifact_location", "artifactLocation"})


def check_body(body: bytes, content_type: bytes) -> None:
    """Check what is not a file.

    Raises
    ------
    Problem
        If it is no JSON object, or not said to be one: a form of a page of elsewhere could send
        it. If it says where files lie, if a tag or a parameter is longer than MLflow keeps, or
        if a metric is not finite.
    """
    if not body:
        return
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise _refused("the body has to be application/json", code="no_json")
    document = json_of(body, deepest=_DEEPEST)
    if not isinstance(document, dict):
        # MLflow would read a JSON text as JSON once more.
        raise _refused("the body has to be a JSON object", code="no_json")
    for table in _tables(document):
        _check_table(table)
    # Of a tag the value may well be called NaN.
    listed = document.get("metrics", ())
    for metric in (document, *(listed if isinstance(listed, list) else ())):
        if isinstance(metric, dict) and "timestamp" in metric and "value" in metric:
            _require_finite(metric["value"])


def _check_table(table: Mapping[str, Any]) -> None:
    if any(table.get(name) for name in _LOCATION):
        raise _refused("the server decides where files lie", code="location")
    value = table.get("value")
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        message = f"a value is longer than {LONGEST_VALUE} characters"
        raise _refused(message, code="too_long")


def _require_finite(value: object) -> None:
    try:
        finite = isinstance(value, int | float | str) and isfinite(float(value))
    except (ValueError, OverflowError):
        finite = False
    if not finite:
        raise _refused("a metric is not finite", code="not_finite")


def _tables(value: object) -> Iterator[Mapping[str, Any]]:  # Any: JSON
    """Yield all objects of a document, the outermost first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _tables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tables(inner)


def _refused(message: str, *, code: str) -> Problem:
    return Problem(status=400, code=code, message=message)
