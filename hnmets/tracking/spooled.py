"""A tracker that never keeps the work waiting: events go to disk, a thread sends them on."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from hnmets.tracking.base import Artifact, Metric, NewRun, Status, Tracker
from hnmets.tracking.errors import TrackerUnreachableError
from hnmets.tracking.event import Attached, Ended, Event, Measured, Started
from hnmets.tracking.privacy import Privacy
from hnmets.tracking.replay import now, replay
from hnmets.tracking.sender import SETTLE, Sender
from hnmets.tracking.spool import Spool

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to try.

    Parameters
    ----------
    first_pause_s, longest_pause_s
        Between tries while nobody answers; each pause is twice the last.
    last_tries
        At the end, how often to try in a row without success.
    still_s
        At the end, how long to wait without seeing one event arrive.
    settle
        See `Sender`.
    """

    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0
    last_tries: int = 3
    still_s: float = 5.0
    settle: timedelta = SETTLE


class SpooledTracker:
    """Writes every event to disk, and sends it to another tracker when that one listens.

    What cannot be sent before `close` stays in the folder of spools, and the next
    `SpooledTracker` or `replay` of that folder sends it.
    """

    def __init__(
        self,
        folder: Path,
        tracker: Tracker,
        *,
        privacy: Privacy,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._folder = folder
        self._tracker = tracker
        self._privacy = privacy
        self._patience = patience or Patience()
        self._clock = clock
        self._spool = Spool.new(folder, at=clock())
        self._changed = threading.Condition()
        self._closing = False
        self._abandoned = False
        self._arrived = 0
        self._broken: BaseException | None = None
        # A daemon: a server that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
        self._thread.start()

    def start(self, run: NewRun) -> str:
        """Begin a run; see `Tracker.start`."""
        self._append(Started(run=self._privacy.run(run)))
        return run.key

    def log_metrics(self, key: str, metrics: Sequence[Metric], *, at: datetime) -> None:
        """Write numbers; see `Tracker.log_metrics`."""
        self._append(Measured(key=key, metrics=tuple(metrics), at=at))

    def log_artifact(self, key: str, artifact: Artifact) -> None:
        """Keep a file; see `Tracker.log_artifact`."""
        content = self._privacy.artifact(artifact).content
        self._append(Attached(key=key, name=artifact.name, digest=self._spool.keep(content)))

    def end(self, key: str, status: Status, *, at: datetime) -> None:
        """Close a run; see `Tracker.end`."""
        self._append(Ended(key=key, status=status, at=at))

    def close(self) -> int:
        """Send what can be sent and return the number of events that have to wait on disk."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._wait()
        # Where the thread hangs in a request, it ends with that, or with this process.
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        if self._broken is not None:
            raise self._broken
        return self._spool.pending

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if left := self.close():
            _LOG.warning("%d tracking events wait in %s", left, self._folder.name)

    def _append(self, event: Event) -> None:
        with self._changed:
            self._spool.append(event)
            self._changed.notify_all()

    def _wait(self) -> None:
        """Wait for the thread as long as events arrive."""
        arrived = -1
        while self._thread.is_alive() and arrived != self._arrived:
            arrived = self._arrived
            self._thread.join(self._patience.still_s)

    def _work(self) -> None:
        try:
            self._send_until_closed()
        except BaseException as error:  # raised again by close, when the work is done
            self._broken = error
        finally:
            self._spool.leave()

    def _send_until_closed(self) -> None:
        patience = self._patience
        replay(
            self._folder,
            self._tracker,
            clock=self._clock,
            settle=patience.settle,
            on_sent=self._note_arrival,
        )
        sender = Sender(self._spool, self._tracker, clock=self._clock, settle=patience.settle)
        pause, last_tries = patience.first_pause_s, 0
        while self._awaits_event() and not self._abandoned:
            try:
                sender.send_next()
            except TrackerUnreachableError as error:
                _LOG.debug("%s", error)
                last_tries += self._closing
                if last_tries >= patience.last_tries:
                    return
                self._pause(pause)
                pause = min(2 * pause, patience.longest_pause_s)
            else:
                self._note_arrival()
                pause, last_tries = patience.first_pause_s, 0

    def _awaits_event(self) -> bool:
        """Wait for an event; False when there is none and none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._spool.pending or self._closing)
            return self._spool.pending > 0

    def _pause(self, seconds: float) -> None:
        """Wait; at the end there is no time for long pauses."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closing, timeout=seconds):
                return
            shortest = self._patience.first_pause_s
            self._changed.wait_for(lambda: self._abandoned, timeout=shortest)

    def _note_arrival(self) -> None:
        self._arrived += 1
