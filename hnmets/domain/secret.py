"""Tokens and passwords: from a variable or from the file that a variable names, nowhere else."""

from collections.abc import Mapping
from pathlib import Path

from hnmets.domain.errors import UsageError


def read_secret(variable: str, environ: Mapping[str, str]) -> str | None:
    """Return a secret; None where neither `VARIABLE` nor `VARIABLE_FILE` is set.

    Command lines are seen by everybody on a machine, so no option holds one. Docker and
    Kubernetes hand secrets over as files.

    Raises
    ------
    UsageError
        If both are set, or the file cannot be read or is empty.

    Examples
    --------
    >>> read_secret("HNMETS_SERVE_TOKEN", {"HNMETS_SERVE_TOKEN": "abc"})
    'abc'
    """
    direct = environ.get(variable) or None
    named = environ.get(f"{variable}_FILE") or None
    if named is None:
        return direct
    if direct is not None:
        raise UsageError(f"both {variable} and {variable}_FILE are set").with_note("Unset one.")
    try:
        found = Path(named).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise UsageError(f"the file of {variable}_FILE cannot be read: {reason}") from None
    if not found:
        raise UsageError(f"the file of {variable}_FILE is empty")
    return found
