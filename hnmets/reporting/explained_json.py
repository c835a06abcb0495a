"""An explained patient as JSON, drawings included: one file is never of two explanations."""

from typing import Final, Literal

from pydantic import BaseModel

from hnmets.domain.strict_json import STRICT, read, written
from hnmets.reporting.explained import ExplainedCase

FORMAT: Final = 1
_WHAT = f"explanation of format {FORMAT}"
_OTHERWISE = "Make it again with `hnmets explain` of this version, or remove the file."


class _Document(BaseModel):
    model_config = STRICT

    format: Literal[1] = FORMAT
    explained: ExplainedCase


def to_json(explained: ExplainedCase) -> str:
    """Write an explanation; equal ones give equal text.

    Raises
    ------
    InvalidDataError
        If a number is not finite or a value has the wrong type.
    """
    return written(lambda: _Document(explained=explained), _WHAT)


def from_json(text: str | bytes) -> ExplainedCase:
    """Read an explanation back.

    Raises
    ------
    InvalidDataError
        If it is not a document of this format.
    """
    return read(_Document, text, _WHAT, otherwise=_OTHERWISE).explained
