"""Fitted candidates on disk: arrays as safetensors, everything else as JSON, nothing pickled."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hnmets.models.candidate import FittedCandidate
from hnmets.models.errors import CandidateFileError
from hnmets.models.parcel import Parcel, packed, unpacked

FORMAT: Final = "hnmets candidates 1"
_HINT = tuple[FittedCandidate, ...]


class _Document(BaseModel):
    """What stands in the JSON file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["hnmets candidates 1"] = FORMAT
    names: tuple[tuple[str, ...], ...]
    candidates: JsonValue


def save_candidates(candidates: Sequence[FittedCandidate], path: Path) -> tuple[Path, Path]:
    """Write `PATH.json` and `PATH.safetensors`; return both."""
    parcel = packed(tuple(candidates), hint=_HINT, place="members")
    document = _Document(names=parcel.names, candidates=parcel.document)
    text, numbers = files_of(path)
    content = json.dumps(document.model_dump(mode="json"), separators=(",", ":"))
    text.write_text(f"{content}\n", encoding="utf-8")
    save_file(dict(parcel.arrays), numbers)
    return text, numbers


def load_candidates(path: Path) -> tuple[FittedCandidate, ...]:
    """Read what `save_candidates` wrote; each gives the same risks to the last bit.

    Raises
    ------
    CandidateFileError
        If a file is absent, damaged, of another format, or the two do not fit each other.
    """
    text, numbers = files_of(path)
    try:
        document = _Document.model_validate_json(text.read_bytes())
        arrays = load_file(numbers)
    except ValidationError as error:
        # The error itself would show what it met.
        raise CandidateFileError(text, f"{error.error_count()} values are unknown") from None
    except (OSError, SafetensorError) as error:
        raise CandidateFileError(path, str(error)) from error
    parcel = Parcel(document=document.candidates, names=document.names, arrays=arrays)
    try:
        found: tuple[FittedCandidate, ...] = unpacked(parcel, _HINT)
    except ValidationError as error:
        raise CandidateFileError(
            text, f"{error.error_count()} values are not as written"
        ) from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CandidateFileError(path, f"the two do not fit: {error}") from error
    _require_numbers(parcel, numbers)
    return found


def files_of(path: Path) -> tuple[Path, Path]:
    """Return the two files of a path without a suffix."""
    return path.with_name(f"{path.name}.json"), path.with_name(f"{path.name}.safetensors")


def _require_numbers(parcel: Parcel, path: Path) -> None:
    """Refuse infinite weights; NaN stands where a column had no part in a choice."""
    for name, array in parcel.arrays.items():
        if array.dtype.kind == "f" and np.isinf(array).any():
            raise CandidateFileError(path, f"'{name}' holds numbers that are not finite")
