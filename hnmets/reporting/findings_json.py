"""Findings as JSON: written once, read by any later version or refused."""

import json
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.findings import Findings
from hnmets.reporting.strict_json import STRICT, refused

FORMAT: Final = 1


class _Document(BaseModel):
    model_config = STRICT

    format: Literal[1] = FORMAT
    findings: Findings


def to_json(findings: Findings) -> str:
    """Write findings; equal findings give equal text.

    Raises
    ------
    InvalidDataError
        If a number is not finite or a value has the wrong type.
    """
    try:
        document = _Document(findings=findings)
    except ValidationError as error:
        raise _refused(error) from None
    return json.dumps(document.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"


def from_json(text: str | bytes) -> Findings:
    """Read findings back.

    Raises
    ------
    InvalidDataError
        If it is not a document of this format.
    """
    try:
        return _Document.model_validate_json(text).findings
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> InvalidDataError:
    return refused(error, f"findings of format {FORMAT}").with_note(
        "Write them again with `hnmets evaluate` or `hnmets ablate` of this version."
    )
