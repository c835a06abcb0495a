"""How documents are kept as JSON: nothing unknown, nothing converted, no number that is none."""

from typing import Final

from pydantic import ConfigDict, ValidationError

from hnmets.domain.errors import InvalidDataError

# The dataclasses inside inherit this: an unknown key or a NaN is refused wherever it stands.
STRICT: Final = ConfigDict(
    extra="forbid",
    frozen=True,
    strict=True,
    allow_inf_nan=False,
    revalidate_instances="always",
    ser_json_bytes="base64",
    val_json_bytes="base64",
)


def refused(error: ValidationError, what: str) -> InvalidDataError:
    """Return the error that says where a document is not what it should be."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the document"
    return InvalidDataError(f"no {what}: {place}: {first['msg']}")
