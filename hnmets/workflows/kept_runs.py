"""Files of runs in the store's folder: named by time and key, found by the key's beginning."""

from datetime import datetime
from pathlib import Path

from hnmets.domain.errors import UsageError

# Digits of a run's key in the names of files.
DIGITS = 8


def path_of_run(folder: Path, run: str, *, at: datetime) -> Path:
    """Return the file of a run, whose name sorts by time; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{at:%Y%m%dT%H%M%S}-{run[:DIGITS]}.json"


def kept_keys(folder: Path) -> list[str]:
    """Return the beginnings of the runs' keys, the newest first."""
    return [_key(path) for path in sorted(folder.glob("*.json"), reverse=True)]


def find_run(folder: Path, asked: str | None) -> Path:
    """Return the file of a run.

    Parameters
    ----------
    asked
        Key of the run, or its beginning; the newest run by default.

    Raises
    ------
    UsageError
        If there is none.
    """
    kept = sorted(folder.glob("*.json"))
    if not kept:
        raise UsageError("nothing was evaluated yet").with_note(
            "Run `hnmets ablate` or `hnmets evaluate` first."
        )
    beginning = (asked or "")[:DIGITS]
    wanted = [path for path in kept if _key(path).startswith(beginning)]
    if not wanted:
        known = ", ".join(map(_key, kept))
        raise UsageError(f"no run '{asked}'; there is: {known}").with_note(
            "Name one of them, or none for the newest."
        )
    return wanted[-1]


def _key(path: Path) -> str:
    return path.stem.rpartition("-")[2]
