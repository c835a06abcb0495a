"""Have a tracker remember what a workflow found."""

from collections.abc import Callable
from pathlib import Path

from hnmets.tracking.base import Tracker
from hnmets.tracking.opening import open_tracker


def remembered(
    project: Path, log: Callable[[Tracker], str], tracker: Tracker | None
) -> tuple[str, int]:
    """Log everything; return the run's key and how many events could not be sent yet.

    Parameters
    ----------
    project
        Folder of the study file: its own tracker is used where none is given.
    log
        Logs a run and returns its key.
    """
    if tracker is not None:
        return log(tracker), 0
    with open_tracker(project) as opened:
        key = log(opened)
        return key, opened.close()
