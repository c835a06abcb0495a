"""Where a setting's value comes from: flag, environment, study file or default."""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PREFIX = "HNMETS_"

Place = tuple[str, ...]
Content = dict[str, Any]  # Any: whatever TOML can hold


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One value in force.

    Parameters
    ----------
    name
        Dotted: `build.jobs`.
    origin
        `flag`, `env HNMETS_BUILD__JOBS`, the name of the study file, or `default`.
    """

    name: str
    value: object
    origin: str

    @property
    def text(self) -> str:
        """The value as a person would write it."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value)

    def as_json(self) -> dict[str, object]:
        """Return the setting as a JSON object."""
        return {"name": self.name, "value": self.value, "origin": self.origin}


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Settings of all layers on top of each other.

    Parameters
    ----------
    content
        What counts, nested as in the study file.
    origins
        Where each leaf of `content` comes from.
    spelled
        Text of each value from the environment: whether `7` is a number or a name is known
        only by the setting's type.
    """

    content: Content
    origins: Mapping[Place, str]
    spelled: Mapping[Place, str]


def stack(
    file: Content, *, file_name: str, environ: Mapping[str, str], flags: Mapping[str, object]
) -> Layers:
    """Return the layers: flag over environment over study file.

    Parameters
    ----------
    flags
        By dotted name; None means that the flag was not given.
    """
    content = _copied(file)
    origins = dict.fromkeys(leaves(content), file_name)
    spelled: dict[Place, str] = {}
    for variable, text in sorted(environ.items()):
        section, _, key = variable.removeprefix(_PREFIX).partition("__")
        if not (variable.startswith(_PREFIX) and section and key):
            continue
        path = _put(content, tuple(f"{section}__{key}".lower().split("__")), _as_toml(text))
        origins[path] = f"env {variable}"
        spelled[path] = text
    for name, value in flags.items():
        if value is not None:
            path = _put(content, tuple(name.split(".")), value)
            origins[path] = "flag"
            spelled.pop(path, None)
    return Layers(content=content, origins=origins, spelled=spelled)


def with_text(layers: Layers, paths: set[Place]) -> Content:
    """Return the content with these values of the environment as plain text."""
    content = _copied(layers.content)
    for path in paths:
        _put(content, path, layers.spelled[path])
    return content


def leaves(content: Mapping[str, Any]) -> Iterator[Place]:
    """Yield the path of every value that is no table, and of every empty table."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from ((key, *rest) for rest in leaves(value))
        else:
            yield (key,)


def origin_of(path: Place, origins: Mapping[Place, str]) -> str:
    """Return where a value comes from; what no layer names is a default."""
    prefixes = (path[:length] for length in range(len(path), 0, -1))
    return next((origins[prefix] for prefix in prefixes if prefix in origins), "default")


def environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ


def _put(content: Content, path: Place, value: object) -> Place:
    """Set a value; tables that exist are found in spite of upper and lower case."""
    table = content
    found: list[str] = []
    for part in path[:-1]:
        found.append(_key_in(table, part))
        inner = table.setdefault(found[-1], {})
        if not isinstance(inner, dict):
            inner = table[found[-1]] = {}
        table = inner
    found.append(_key_in(table, path[-1]))
    table[found[-1]] = value
    return tuple(found)


def _key_in(table: Mapping[str, object], wanted: str) -> str:
    return next((key for key in table if key.casefold() == wanted.casefold()), wanted)


def _copied(content: Mapping[str, Any]) -> Content:
    return {
        key: _copied(value) if isinstance(value, Mapping) else value
        for key, value in content.items()
    }


def _as_toml(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
