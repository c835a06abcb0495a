"""Events of one process on disk, in their order, before anybody is told of them.

One folder per process: `events.jsonl` (append only), `content/` (files by digest),
`progress.jsonl` (how many events were told) and `lock`, which dies with the process.
"""

import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from feature_store.atomic import append_synced, write_named
from hnmets.tracking.event import Event, as_line, from_line


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the telling is.

    Parameters
    ----------
    told
        Events that need not be told again.
    refused
        Reasons of those among them that the server will never take.
    doubt_since
        When the next event, the start of a run, was sent without an answer.
    """

    told: int = 0
    refused: tuple[str, ...] = ()
    doubt_since: datetime | None = None


class Spool:
    """The folder of one process; only who holds its lock may use it."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder = folder
        self._lock = lock
        self.events = list(_events(folder / "events.jsonl"))
        self.progress = _progress(folder / "progress.jsonl")

    @classmethod
    def new(cls, parent: Path, *, at: datetime) -> "Spool":
        """Make the folder of this process."""
        folder = parent / f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        found = cls.taken(folder)
        if found is None:
            raise RuntimeError(f"the new folder {folder.name} is locked")
        return found

    @classmethod
    def taken(cls, folder: Path) -> "Spool | None":
        """Take the folder of a process that is gone; None where its process lives."""
        # One thread takes it, another may leave it.
        lock = FileLock(folder / "lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return cls(folder, lock)

    @property
    def pending(self) -> int:
        """Events that nobody was told of."""
        return len(self.events) - self.progress.told

    def append(self, event: Event) -> None:
        """Write an event down; it is on the disk when this returns."""
        append_synced(self.folder / "events.jsonl", as_line(event))
        self.events.append(event)

    def keep(self, content: bytes) -> str:
        """Keep the content of a file and return its digest."""
        folder = self.folder / "content"
        folder.mkdir(exist_ok=True)
        return write_named(folder, content, "").name

    def content(self, digest: str) -> bytes:
        """Return the content of a digest."""
        return (self.folder / "content" / digest).read_bytes()

    def told(self, *, refused: str | None = None) -> None:
        """Note that the next event was told, or refused for good."""
        reasons = () if refused is None else (refused,)
        self._note(Progress(told=self.progress.told + 1, refused=self.progress.refused + reasons))

    def doubt(self, since: datetime) -> None:
        """Note that the next event may or may not have arrived."""
        self._note(
            Progress(told=self.progress.told, refused=self.progress.refused, doubt_since=since)
        )

    def leave(self) -> None:
        """Give the folder back; it goes when everything in it was told and taken."""
        if not self.pending and not self.progress.refused:
            shutil.rmtree(self.folder)
        self._lock.release()

    def _note(self, progress: Progress) -> None:
        line = {
            "told": progress.told,
            "refused": progress.refused,
            "doubt_since": progress.doubt_since and progress.doubt_since.isoformat(),
        }
        append_synced(self.folder / "progress.jsonl", json.dumps(line).encode() + b"\n")
        self.progress = progress


def left_behind(parent: Path) -> Iterator[Spool]:
    """Yield, oldest first, the folders of processes that are gone; the caller leaves each."""
    for folder in sorted(path for path in parent.glob("*") if path.is_dir()):
        spool = Spool.taken(folder)
        if spool is not None:
            yield spool


def _events(path: Path) -> Iterator[Event]:
    """Yield the events up to the first line that is none: one torn by a kill is the last."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            yield from_line(line)
        except ValueError:
            return


def _progress(path: Path) -> Progress:
    if not path.exists():
        return Progress()
    for line in reversed(path.read_bytes().splitlines()):
        try:
            content = json.loads(line)
        except ValueError:
            continue
        since = content["doubt_since"]
        return Progress(
            told=content["told"],
            refused=tuple(content["refused"]),
            doubt_since=datetime.fromisoformat(since) if since else None,
        )
    return Progress()
