"""Texts that must not tell how one machine is laid out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

# A path below the root or a home, a drive, a share, a file URL; not the // of an https address.
_ABSOLUTE = re.compile(
    r"(?:^|[\s'\"=:(,;])(?:~?/(?:[\w.~-]+/)+|[A-Za-z]:[\\/](?!/)|\\\\\w|file:/)"
)


def absolute_paths(value: object, place: str = "") -> Iterator[str]:
    """Return where texts inside plain data hold an absolute path.

    Examples
    --------
    >>> list(absolute_paths({"python": "/opt/venv/bin/python", "code": "https://a.org/b/c"}))
    ['python']
    >>> list(absolute_paths(["wavelet-LLH/glcm", "and/or", "C:/data"]))
    ['2']
    """
    if isinstance(value, str):
        if _ABSOLUTE.search(value):
            yield place
        return
    for name, item in _parts(value):
        yield from absolute_paths(name, place)
        yield from absolute_paths(item, f"{place}.{name}" if place else name)


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(key), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(number), item) for number, item in enumerate(value))
    elif is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in fields(value))
