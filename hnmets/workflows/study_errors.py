"""What is wrong with a study file, said so that its author can mend it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hnmets.domain.errors import InvalidDataError

Problem = tuple[tuple[str, ...], str]
Schema = Mapping[str, Any]  # Any: JSON schema is a tree of JSON values


def problems_of(error: ValidationError, schema: Schema) -> list[Problem]:
    """Return every problem with the setting it belongs to."""
    return [
        (_place(details), _message(details, schema)) for details in error.errors(include_url=False)
    ]


def refuse(
    problems: Sequence[Problem], *, name: str, text: str, origins: Mapping[tuple[str, ...], str]
) -> InvalidDataError:
    """Return one error that lists all problems, with the line or variable of each."""
    in_order = sorted(problems, key=lambda problem: line_of(text, problem[0]) or 0)
    lines = [
        f"  {_where(place, text, origins)}{'.'.join(place)}: {message}"
        for place, message in in_order
    ]
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return InvalidDataError("\n".join([f"{name}: {count}", *lines])).with_note(
        "`hnmets study schema` lists every setting; `hnmets init` writes an example."
    )


def line_of(text: str, place: Sequence[str]) -> int | None:
    r"""Return the line of a setting in a study file, or of the table it would stand in.

    Examples
    --------
    >>> line_of("[cohort]\nroot = '.'", ("cohort", "root")), line_of("[cohort]", ("cohort", "x"))
    (2, 1)
    """
    table: tuple[str, ...] = ()
    best: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = found = _keys(header.group(1))
        elif setting := re.match(r"\s*([\w\"'.-]+)\s*=", line):
            found = (*table, *_keys(setting.group(1)))
        else:
            continue
        # [regions.tumour] is where `regions` stands, too.
        shared = min(len(found), len(place))
        if tuple(place[:shared]) == found[:shared] and shared > best[0]:
            best = (shared, number)
    return best[1]


def closest(wanted: str, known: Iterable[str]) -> str:
    """Return a hint: the closest known name, or all of them.

    Examples
    --------
    >>> closest("manifst", ["manifest", "case"]), closest("xyz", ["manifest", "case"])
    ("closest is 'manifest'", 'known: case, manifest')
    """
    names = sorted(known)
    near = get_close_matches(wanted.lower(), names, n=1)
    return f"closest is '{near[0]}'" if near else f"known: {', '.join(names) or 'none'}"


def _where(place: tuple[str, ...], text: str, origins: Mapping[tuple[str, ...], str]) -> str:
    for length in range(len(place), 0, -1):
        origin = origins.get(place[:length], "")
        if origin == "flag" or origin.startswith("env "):
            return f"{origin}: "
    line = line_of(text, place)
    return f"line {line}: " if line else ""


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in dotted.split("."))


def _place(details: ErrorDetails) -> tuple[str, ...]:
    return tuple(str(part) for part in details["loc"] if part != "[key]")


def _message(details: ErrorDetails, schema: Schema) -> str:
    *table, key = details["loc"]
    kind = details["type"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return f"unknown setting; {closest(str(key), _known(schema, table))}"
    if kind == "missing":
        return "is required"
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if key == "[key]":
        return "a name starts with a letter and holds letters, digits and underscores"
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}, not {details['input']!r}"


def _known(schema: Schema, table: Sequence[str | int]) -> list[str]:
    """Return the settings of a table, found by walking the JSON schema."""
    node = _resolved(schema, schema)
    for part in table:
        # Tables of named things ([regions.NAME]) describe one thing by the pattern of its name.
        named: Schema = next(iter(node.get("patternProperties", {}).values()), {})
        node = _resolved(node.get("properties", {}).get(part, named), schema)
    return list(node.get("properties", {}))


def _resolved(node: Schema, schema: Schema) -> Schema:
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        node = options[0]
    if "$ref" in node:
        found: Schema = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return found
    return node
