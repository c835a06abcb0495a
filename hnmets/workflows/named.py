"""What a user named, among what there is."""

from collections.abc import Sequence
from typing import TypeVar

from hnmets.domain.errors import UsageError

Name = TypeVar("Name", bound=str)


def named(name: str, known: Sequence[Name], what: str) -> Name:
    """Return the one of this name.

    Parameters
    ----------
    what
        What it is, for people.

    Raises
    ------
    UsageError
        If there is none.

    Examples
    --------
    >>> named("swin", ("swin", "cnn"), "backbone")
    'swin'
    """
    for each in known:
        if each == name:
            return each
    raise UsageError(f"no {what} '{name}'").with_note(f"Choose of {', '.join(known)}.")
