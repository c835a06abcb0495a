"""What other terminals can see of a running build: who writes, and how far it is."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from feature_store.atomic import write_atomic
from feature_store.layout import StoreFiles
from feature_store.recipe import Json

_CLOCK_TOLERANCE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The process that writes to a store.

    Parameters
    ----------
    since
        When it took the lock, ISO 8601 in UTC.
    started
        When the process started, seconds since 1970: tells it from a later one of the same PID.
    """

    pid: int
    host: str
    since: str
    started: float

    def __str__(self) -> str:
        return f"PID {self.pid} on {self.host} since {self.since}"


def write_progress(folder: Path, progress: Mapping[str, Json]) -> None:
    """Replace what `read_progress` returns."""
    write_atomic(StoreFiles(folder).progress, json.dumps(dict(progress)).encode())


def read_progress(folder: Path) -> dict[str, Json] | None:
    """Return the last progress that was written, or None."""
    content = _read_json(StoreFiles(folder).progress)
    return dict(content) if isinstance(content, dict) else None


def write_owner(folder: Path, since: str) -> None:
    """Say that this process holds the lock."""
    import psutil

    owner = Owner(
        pid=os.getpid(),
        host=socket.gethostname(),
        since=since,
        started=psutil.Process().create_time(),
    )
    write_atomic(StoreFiles(folder).owner, json.dumps(asdict(owner)).encode())


def read_owner(folder: Path) -> Owner | None:
    """Return the live process that writes to the store, or None.

    A process of this host that has died, or whose PID now belongs to another one, is none;
    processes of other hosts cannot be asked and count as alive.
    """
    content = _read_json(StoreFiles(folder).owner)
    try:
        owner = Owner(**content) if isinstance(content, dict) else None
    except TypeError:
        return None
    return owner if owner is not None and _lives(owner) else None


def _lives(owner: Owner) -> bool:
    if owner.host != socket.gethostname():
        return True
    import psutil

    try:
        started = psutil.Process(owner.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    return bool(abs(started - owner.started) < _CLOCK_TOLERANCE_SECONDS)


def _read_json(path: Path) -> object:
    try:
        content: object = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return content
