"""Which commit of the code ran, where it ran from a checkout."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import hnmets

_PATIENCE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """State of the code.

    Parameters
    ----------
    dirty
        Whether any file, new ones included, differs from the commit.
    """

    commit: str
    dirty: bool


def find_checkout(package: Path | None = None) -> Checkout | None:
    """Return the state of the checkout that holds the package; None where it was installed.

    A package that merely lies inside of somebody's repository, as a virtual environment may, is
    not part of it.
    """
    file = package or Path(str(hnmets.__file__))
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit = _git(file.parent, "rev-parse", "HEAD")
    top = _git(file.parent, "rev-parse", "--show-toplevel")
    if not commit or not top:
        return None
    changes = _git(Path(top), "status", "--porcelain")
    return Checkout(commit=commit, dirty=changes != "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # our own arguments
            ["git", "--no-optional-locks", *arguments],  # noqa: S607  # the user's git
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
