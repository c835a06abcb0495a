"""An explained patient as JSON, drawings included: one file is never of two explanations."""

import json
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from hnmets.reporting.explained import ExplainedCase
from hnmets.reporting.strict_json import STRICT, refused

FORMAT: Final = 1
_WHAT = f"explanation of format {FORMAT}"


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
    try:
        document = _Document(explained=explained)
    except ValidationError as error:
        raise refused(error, _WHAT) from None
    return json.dumps(document.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"


def from_json(text: str | bytes) -> ExplainedCase:
    """Read an explanation back.

    Raises
    ------
    InvalidDataError
        If it is not a document of this format.
    """
    try:
        return _Document.model_validate_json(text).explained
    except ValidationError as error:
        raise refused(error, _WHAT).with_note(
            "Make it again with `hnmets explain` of this version, or remove the file."
        ) from None
