"""A fitted thing in two halves: texts and numbers for JSON, arrays for safetensors."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from feature_store.recipe import Json
from hnmets.models.fitted_kinds import KINDS

Part = TypeVar("Part")
# Any: annotations of dataclass fields, and arrays of any type.
Hint = Any
Array = NDArray[Any]
_NAME_OF = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What was packed.

    Parameters
    ----------
    document
        The thing as JSON: `{"kind": …}` for what is fitted, the name of an array for an array,
        the place in `names` for a list of names.
    names
        Lists of names, each once: the steps of all members know the same columns.
    arrays
        By where they stand in the document: `members.0.chain.steps.1.places`.
    """

    document: Json
    names: tuple[tuple[str, ...], ...]
    arrays: Mapping[str, Array]


def packed(part: object, *, hint: Hint, place: str) -> Parcel:
    """Take a fitted thing apart.

    Parameters
    ----------
    hint
        Its type, or `tuple[FittedCandidate, ...]` and the like.
    place
        Of the thing in the document, the beginning of its arrays' names.
    """
    packing = _Packing()
    document = packing.pack(hint, part, place)
    return Parcel(document=document, names=tuple(packing.names), arrays=packing.arrays)


def unpacked(parcel: Parcel, hint: Hint) -> Any:  # noqa: ANN401 - of the type that was asked for
    """Put it together again.

    Raises
    ------
    KeyError, TypeError, ValueError, ValidationError
        If the document is not one that `packed` made.
    """
    return _Unpacking(names=parcel.names, arrays=parcel.arrays).unpack(hint, parcel.document)


@dataclass(kw_only=True)
class _Packing:
    names: dict[tuple[str, ...], int] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)

    def pack(self, hint: Hint, value: Any, place: str) -> Json:  # noqa: ANN401 - any field
        if _is_array(hint):
            self.arrays[place] = np.ascontiguousarray(value)
            return place
        if hint == tuple[str, ...]:
            return self.names.setdefault(value, len(self.names))
        if _is_kind(hint):
            content: dict[str, Json] = {"kind": _NAME_OF[type(value)]}
            for name, of_field in _fields(type(value)):
                content[name] = self.pack(of_field, getattr(value, name), f"{place}.{name}")
            return content
        if _is_sequence(hint):
            own = get_args(hint)[0]
            return [self.pack(own, each, f"{place}.{n}") for n, each in enumerate(value)]
        if _is_mapping(hint):
            own = get_args(hint)[1]
            return {key: self.pack(own, each, f"{place}.{key}") for key, each in value.items()}
        plain: Json = json.loads(_adapter(hint).dump_json(value))
        return plain


@dataclass(frozen=True, kw_only=True)
class _Unpacking:
    names: Sequence[tuple[str, ...]]
    arrays: Mapping[str, Array]

    def unpack(self, hint: Hint, raw: Any) -> Any:  # noqa: ANN401 - any field
        if _is_array(hint):
            return self._array(hint, raw)
        if hint == tuple[str, ...]:
            return self.names[raw]
        if _is_kind(hint):
            return self._kind(hint, raw)
        if _is_sequence(hint):
            own = get_args(hint)[0]
            return tuple(self.unpack(own, each) for each in raw)
        if _is_mapping(hint):
            own = get_args(hint)[1]
            return {key: self.unpack(own, each) for key, each in raw.items()}
        return _adapter(hint).validate_json(json.dumps(raw), strict=True)

    def _kind(self, hint: Hint, raw: Mapping[str, Any]) -> object:
        kind = KINDS[raw["kind"]]
        if hint in _NAME_OF and not issubclass(kind, hint):
            raise TypeError(f"a {raw['kind']} where a {_NAME_OF[hint]} belongs")
        known = dict(_fields(kind))
        if known.keys() | {"kind"} != raw.keys():
            raise TypeError(f"a {raw['kind']} has other fields")
        return kind(**{name: self.unpack(own, raw[name]) for name, own in known.items()})

    def _array(self, hint: Hint, place: str) -> Array:
        array, wanted = self.arrays[place], get_args(get_args(hint)[1])[0]
        if array.dtype != np.dtype(wanted):
            raise TypeError(f"{place} is of type {array.dtype}")
        return array


def _fields(kind: type) -> Iterator[tuple[str, Hint]]:
    hints = _hints(kind)
    yield from ((each.name, hints[each.name]) for each in fields(kind))


@lru_cache(maxsize=64)
def _hints(kind: type) -> Mapping[str, Hint]:
    return get_type_hints(kind)


@lru_cache(maxsize=64)
def _adapter(hint: Hint) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


def _is_kind(hint: Hint) -> bool:
    """Whether a thing of the catalog belongs here: one of them, or the Protocol of several."""
    return hint in _NAME_OF or bool(getattr(hint, "_is_protocol", False))


def _is_array(hint: Hint) -> bool:
    return getattr(hint, "__origin__", None) is np.ndarray


def _is_sequence(hint: Hint) -> bool:
    """Whether it is a tuple of things that are not plain."""
    return getattr(hint, "__origin__", None) is tuple and _is_kind(get_args(hint)[0])


def _is_mapping(hint: Hint) -> bool:
    """Whether it maps names to arrays."""
    arguments = get_args(hint)
    return len(arguments) == 2 and _is_array(arguments[1])
