"""Findings as JSON: written once, read by any later version or refused."""

from typing import Final, Literal

from pydantic import BaseModel

from hnmets.domain.strict_json import STRICT, read, written
from hnmets.reporting.findings import Findings

FORMAT: Final = 1
_WHAT = f"findings of format {FORMAT}"
_OTHERWISE = "Write them again with `hnmets evaluate` or `hnmets ablate` of this version."


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
    return written(lambda: _Document(findings=findings), _WHAT, otherwise=_OTHERWISE)


def from_json(text: str | bytes) -> Findings:
    """Read findings back.

    Raises
    ------
    InvalidDataError
        If it is not a document of this format.
    """
    return read(_Document, text, _WHAT, otherwise=_OTHERWISE).findings
