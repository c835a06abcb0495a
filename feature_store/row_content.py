"""A row in the one form that is stored, compared and hashed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from feature_store.errors import InvalidRowError
from feature_store.plain import is_plain
from feature_store.recipe import ColumnType, Recipe, Scalar
from feature_store.row import Row, Values

Vector = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class RowContent:
    """One row, ready to be written.

    Parameters
    ----------
    vector
        Values of a vector recipe, NaN where absent; None for a recipe of typed columns.
    typed
        Values of a recipe of typed columns as a JSON list; None for a vector recipe.
    reasons, flags, made_with
        JSON objects with sorted keys.
    """

    fingerprint: str
    case_id: str
    part: int
    input_digest: str
    vector: Vector | None
    typed: str | None
    reasons: str
    flags: str
    made_with: str

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything that a later user of the row could see differ.

        `made_with` is left out: the same values made on another device are the same row.
        """
        keys = (self.fingerprint, self.case_id, self.part, self.input_digest)
        digest = hashlib.sha256(json.dumps([*keys, self.reasons, self.flags]).encode())
        digest.update(_vector_bytes(self.vector) if self.typed is None else self.typed.encode())
        return digest.hexdigest()

    @property
    def key(self) -> tuple[str, str, int]:
        """Fingerprint, case and part: one current row each."""
        return (self.fingerprint, self.case_id, self.part)


def content_of(row: Row, recipe: Recipe) -> RowContent:
    """Bring a row into the stored form.

    Raises
    ------
    InvalidRowError
        If the values do not fit the recipe's columns and types, or the case id has control
        characters.
    """
    if not row.case_id or not is_plain(row.case_id):
        raise InvalidRowError(f"{row.case_id!r} is not a usable case id")
    if len(row.values) != len(recipe.columns):
        raise InvalidRowError(
            f"case {row.case_id}: {len(row.values)} values for the {len(recipe.columns)} "
            f"columns of {recipe.label}"
        )
    is_vector = recipe.is_vector
    try:
        return RowContent(
            fingerprint=row.fingerprint,
            case_id=row.case_id,
            part=row.part,
            input_digest=row.input_digest,
            vector=vector_of(row.values, recipe) if is_vector else None,
            typed=None if is_vector else typed_text(row.values, recipe.column_types),
            reasons=_json(row.reasons),
            flags=_json(row.flags),
            made_with=_json(row.made_with),
        )
    except (TypeError, ValueError) as error:
        raise InvalidRowError(f"case {row.case_id}, {recipe.label}: {error}") from error


def vector_of(values: Values, recipe: Recipe) -> Vector:
    """Values as one array of the recipe's precision, shape (n,), with one kind of NaN."""
    if not isinstance(values, np.ndarray) and any(isinstance(v, str) for v in values):
        raise ValueError("a vector holds numbers, not text")  # NumPy would parse it
    vector: Vector = np.array(values, dtype=np.float64)
    if recipe.types == "float":
        vector = vector.astype(np.float32)
    if vector.ndim != 1:
        raise ValueError(f"a row is one vector, not an array of shape {vector.shape}")
    vector[np.isnan(vector)] = np.nan
    return vector


def typed_text(values: Values | Sequence[Scalar], types: Sequence[ColumnType]) -> str:
    """Values of typed columns as JSON; floats in the digits that give the same float back."""
    return _json([_typed(value, kind) for value, kind in zip(values, types, strict=True)])


def _typed(value: object, kind: ColumnType) -> Scalar:
    """Bring one value to its column's type.

    Raises
    ------
    ValueError
        If the value is of another type; nothing is guessed here.
    """
    if value is None:
        return None
    if kind == "text" and isinstance(value, str):
        value.encode()  # a lone surrogate could be stored nowhere
        return str(value)
    if kind == "bool" and isinstance(value, bool | np.bool_):
        return bool(value)
    if kind in ("double", "float") and _is_number(value):
        number = float(np.float32(value) if kind == "float" else value)
        return None if np.isnan(number) else number
    raise ValueError(f"{value!r} does not belong into a column of type {kind}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _json(content: Mapping[str, Scalar] | Mapping[str, str] | list[Scalar]) -> str:
    if isinstance(content, Mapping):
        content = dict(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _vector_bytes(vector: Vector | None) -> bytes:
    if vector is None:
        raise ValueError("a row without values has no content")
    return vector.astype(vector.dtype.newbyteorder("<"), copy=False).tobytes()
