"""Who is at work: a worker says so every few seconds, and its trials are its own until it stops.

Optuna's heartbeats know neither journal files nor trials that are asked for and told by hand.
"""

import hashlib
import os
import platform
import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from optuna import Study

# Four beats of a worker that is swapped out may be late before its trials go to another.
BEAT_S = 15.0
LEASE = timedelta(seconds=60)
_PREFIX = "worker "


def now() -> datetime:
    """Return the time of this machine; those of several machines must agree to a few seconds."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Beat:
    """What a worker last said of itself.

    Parameters
    ----------
    machine
        Digest that tells machines apart and names none.
    process
        Number of the process.
    at
        When it was said.
    """

    machine: str
    process: int
    at: str

    @classmethod
    def mine(cls, at: datetime) -> Self:
        """Return what this process says."""
        return cls(machine=_machine(), process=os.getpid(), at=at.isoformat())

    def alive(self, at: datetime) -> bool:
        """Tell whether the worker is there: its word is fresh and, here, its process runs."""
        fresh = at - datetime.fromisoformat(self.at) < LEASE
        return fresh and (self.machine != _machine() or _runs(self.process))


@dataclass(kw_only=True)
class Attendance(AbstractContextManager["Attendance"]):
    """Says in the background that this worker is at work, and knows who else is.

    Parameters
    ----------
    board
        A study of its own, whose attributes are the beats.
    """

    board: Study
    worker: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    clock: Callable[[], datetime] = now
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._beat()
        self._thread = threading.Thread(target=self._go_on, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def alive(self, worker: str) -> bool:
        """Tell whether a worker is at work; one that never said a word is not."""
        if worker == self.worker:
            return True
        said: dict[str, Any] | None = self.board.user_attrs.get(_PREFIX + worker)
        return said is not None and Beat(**said).alive(self.clock())

    def _go_on(self) -> None:
        while not self._over.wait(BEAT_S):
            self._beat()

    def _beat(self) -> None:
        self.board.set_user_attr(_PREFIX + self.worker, asdict(Beat.mine(self.clock())))


def _machine() -> str:
    words = f"{platform.node()} {uuid.getnode()} {os.environ.get('HOSTNAME', '')}"
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, under another account
        return True
    return True
