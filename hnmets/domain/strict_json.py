"""How documents are kept as JSON: nothing unknown, nothing converted, no number that is none."""

import json
from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hnmets.domain.errors import InvalidDataError

Document = TypeVar("Document", bound=BaseModel)
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


def written(make: Callable[[], BaseModel], what: str, *, otherwise: str = "") -> str:
    """Return a document as text; equal ones give equal text.

    Parameters
    ----------
    make
        Builds the document, and so checks it.
    otherwise
        What to do where it cannot be built.

    Raises
    ------
    InvalidDataError
        If a number is not finite or a value has the wrong type.
    """
    try:
        document = make()
    except ValidationError as error:
        raise _refused(error, what, otherwise) from None
    return json.dumps(document.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"


def read(kind: type[Document], text: str | bytes, what: str, *, otherwise: str) -> Document:
    """Read a document back.

    Parameters
    ----------
    otherwise
        What to do where it is not one.

    Raises
    ------
    InvalidDataError
        If it is not a document of this kind.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise _refused(error, what, otherwise) from None


def _refused(error: ValidationError, what: str, otherwise: str) -> InvalidDataError:
    """Return the error that says where a document is not what it should be."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the document"
    found = InvalidDataError(f"no {what}: {place}: {first['msg']}")
    return found.with_note(otherwise) if otherwise else found
