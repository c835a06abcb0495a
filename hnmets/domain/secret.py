"""Tokens and passwords: from a variable or from the file that a variable names, nowhere else."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from hnmets.domain.errors import UsageError

_LOG = logging.getLogger(__name__)
# Container engines hand secrets over there, readable to whoever is inside.
_ENGINES = Path("/run/secrets")
# Group, then others: may read a file, may enter a folder.
_RIGHTS = ((0o040, 0o010), (0o004, 0o001))


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
        # Without a folder it may be the secret itself, in the wrong variable.
        shown = f"'{named}'" if os.sep in named else "a file"
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"{variable}_FILE names {shown}, which cannot be read: {reason}"
        ).with_note(f"Correct the path in {variable}_FILE.") from None
    if not found:
        raise UsageError(f"the file of {variable}_FILE is empty")
    warn_if_shared(Path(named))
    return found


def warn_if_shared(file: Path) -> None:
    """Warn where others can read a secret of ours: whose file it is not cannot mend that."""
    place = file.absolute()
    if place.is_relative_to(_ENGINES) or place.stat().st_uid != os.getuid():
        return
    mode = place.stat().st_mode
    folders = [folder.stat().st_mode for folder in place.parents]
    if any(mode & read and all(each & enter for each in folders) for read, enter in _RIGHTS):
        _LOG.warning("others can read '%s': chmod 600 it", file.name)
