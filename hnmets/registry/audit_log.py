"""Who was made champion, why, and against which gates: a file that only grows."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from feature_store.atomic import append_synced
from hnmets.domain.errors import InvalidDataError

Action = Literal["register", "refuse", "promote", "promoted", "rollback", "rolled back", "look"]
_FIRST = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that was done.

    Parameters
    ----------
    at
        ISO time, UTC.
    package
        Digest of the version's package.
    failed
        Gates that did not hold.
    reason
        Why it was done all the same; empty where nothing was overridden.
    what
        Digest of the patients who were looked at, and of their outcomes; empty where nobody was.
    study
        Name of their study.
    """

    at: str
    action: Action
    model: str
    version: int
    package: str
    failed: tuple[str, ...] = ()
    reason: str = ""
    what: str = ""
    study: str = ""


class AuditLog:
    """A file of JSON lines, each with the digest of the line before.

    A line that is changed or taken out breaks the chain for all that follow; only its newest
    lines could be cut off unseen, and the number of entries stands in every answer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, entry: Entry) -> None:
        """Add an entry and wait until it is on the disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._path}.lock"):
            line = {"before": self._last(), **asdict(entry)}
            text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
            append_synced(self._path, f"{text}\n".encode())

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, the oldest first.

        Raises
        ------
        InvalidDataError
            If a line is not as it was written.
        """
        return tuple(self._read())

    def _last(self) -> str:
        lines = self._lines()
        # A broken chain is not continued.
        self.entries()
        return _digest(lines[-1]) if lines else _FIRST

    def _lines(self) -> list[bytes]:
        return self._path.read_bytes().splitlines() if self._path.exists() else []

    def _read(self) -> Iterator[Entry]:
        expected = _FIRST
        for number, line in enumerate(self._lines(), start=1):
            try:
                content = json.loads(line)
                before = content.pop("before")
                entry = TypeAdapter(Entry).validate_python(content)
            except (ValueError, KeyError, AttributeError, ValidationError):
                raise _broken(self._path, number) from None
            if before != expected:
                raise _broken(self._path, number)
            expected = _digest(line)
            yield entry


def entry_of(  # noqa: PLR0913 - what an entry tells, all named
    action: Action,
    *,
    model: str,
    version: int,
    package: str,
    at: datetime,
    failed: tuple[str, ...] = (),
    reason: str = "",
    what: str = "",
    study: str = "",
) -> Entry:
    """Return an entry of this moment."""
    return Entry(
        at=at.isoformat(timespec="seconds"),
        action=action,
        model=model,
        version=version,
        package=package,
        failed=failed,
        reason=reason,
        what=what,
        study=study,
    )


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _broken(path: Path, number: int) -> InvalidDataError:
    return InvalidDataError(f"{path.name}: line {number} is not as it was written").with_note(
        "Restore the file from a backup: it says who was made champion, and why."
    )
