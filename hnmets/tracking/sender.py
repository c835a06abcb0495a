"""Tells a tracker what a spool holds, in order, each event until it has arrived."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from hnmets.tracking.base import NewRun, Tracker
from hnmets.tracking.errors import TrackerRefusedError, TrackerUnreachableError
from hnmets.tracking.event import Event, Started, tell
from hnmets.tracking.spool import Spool

_LOG = logging.getLogger(__name__)
# How long a server may sit on a request and then still carry it out.
SETTLE = timedelta(seconds=60)


class Sender:
    """Sends one spool.

    Parameters
    ----------
    settle
        A run whose start was sent without an answer is begun again only after this time: by
        then it is there and is found, or it will never be. So no run is begun twice.
    """

    def __init__(
        self,
        spool: Spool,
        tracker: Tracker,
        *,
        clock: Callable[[], datetime],
        settle: timedelta = SETTLE,
    ) -> None:
        self._spool = spool
        self._tracker = tracker
        self._clock = clock
        self._settle = settle
        self._introduced: set[str] = set()

    def send_next(self) -> None:
        """Tell the next event; one that is refused for good is noted and passed over.

        Raises
        ------
        TrackerUnreachableError
            If it has to wait.
        """
        spool = self._spool
        event = spool.events[spool.progress.told]
        self._require_settled()
        try:
            self._introduce(event)
            tell(event, self._tracker, spool.content)
        except TrackerRefusedError as error:
            _LOG.warning("%s of a run: %s", event.kind, error)
            spool.told(refused=str(error))
        except TrackerUnreachableError as error:
            if error.in_doubt:
                spool.doubt(self._clock())
            raise
        else:
            self._introduced.add(event.key)
            spool.told()

    def _require_settled(self) -> None:
        since = self._spool.progress.doubt_since
        if since is not None and self._clock() < since + self._settle:
            raise TrackerUnreachableError("it may still be busy with the start of a run")

    def _introduce(self, event: Event) -> None:
        """Name the runs that a process before this one began; starting them again is harmless."""
        needed = event.run.parent if isinstance(event, Started) else event.key
        if needed is None or needed in self._introduced:
            return
        starts = {told.key: told.run for told in self._told_starts()}
        wanted = starts.get(needed)
        lineage: list[NewRun] = []
        while wanted is not None and wanted.key not in self._introduced:
            lineage.append(wanted)
            wanted = starts.get(wanted.parent or "")
        for run in reversed(lineage):
            self._tracker.start(run)
            self._introduced.add(run.key)

    def _told_starts(self) -> list[Started]:
        told = self._spool.events[: self._spool.progress.told]
        return [event for event in told if isinstance(event, Started)]
