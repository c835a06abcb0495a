"""Sends what earlier processes could not send."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hnmets.tracking.base import Tracker
from hnmets.tracking.errors import TrackerUnreachableError
from hnmets.tracking.sender import SETTLE, Sender
from hnmets.tracking.spool import Spool, left_behind


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What became of the events that had been left behind.

    Parameters
    ----------
    left
        Events that still wait.
    reason
        Why; empty where none waits.
    """

    sent: int = 0
    left: int = 0
    reason: str = ""


def now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def replay(
    folder: Path,
    tracker: Tracker,
    *,
    clock: Callable[[], datetime] = now,
    settle: timedelta = SETTLE,
    on_sent: Callable[[], None] = lambda: None,
) -> Replayed:
    """Tell the tracker what processes that are gone left in the folder of spools.

    It may be stopped and called again at any time: no run and no number comes twice.
    """
    sent, left, reason = 0, 0, ""
    for spool in left_behind(folder):
        before = spool.pending
        try:
            if not reason:
                _send(spool, Sender(spool, tracker, clock=clock, settle=settle), on_sent)
        except TrackerUnreachableError as error:
            reason = str(error)
        finally:
            sent += before - spool.pending
            left += spool.pending
            spool.leave()
    return Replayed(sent=sent, left=left, reason=reason)


def _send(spool: Spool, sender: Sender, on_sent: Callable[[], None]) -> None:
    while spool.pending:
        sender.send_next()
        on_sent()
