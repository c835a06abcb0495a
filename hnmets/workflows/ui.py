"""`ui`: the runs of a study in MLflow's web pages."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.pages import table_of
from hnmets.tracking.place import Place, place_of
from hnmets.tracking.privacy import Privacy, without_credentials
from hnmets.tracking.project_store import last_experiment
from hnmets.tracking.replay import Replayed, replay
from hnmets.tracking.server import serving


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What can be looked at.

    Parameters
    ----------
    address
        Of the pages.
    replayed
        What became of events that had not been sent.
    """

    address: str
    replayed: Replayed


def run(project: Path, *, port: int, on_ready: Callable[[Shown], None]) -> None:
    """Send what waits, serve the pages, tell where they are, and go on until interrupted.

    Where `MLFLOW_TRACKING_URI` names a server, its pages are the ones: nothing is started.

    Parameters
    ----------
    project
        Folder of the study file.

    Raises
    ------
    UsageError
        If the project has no runs, or the port is taken.
    """
    place = place_of(project, os.environ)
    replayed = _send_what_waits(place)
    if place.is_server:
        on_ready(Shown(address=without_credentials(place.uri), replayed=replayed))
        return
    if place.chosen_uri is None and not place.database.exists():
        raise UsageError(f"there are no runs in {project}").with_note(
            "Runs are kept beside the study file: name it with --study."
        )
    # Ctrl-C is how it is meant to end.
    with suppress(KeyboardInterrupt), serving(place, port=port) as server:
        on_ready(Shown(address=_page(server.address, place), replayed=replayed))
        server.wait()


def _page(address: str, place: Place) -> str:
    """Return the page of the newest experiment's rungs."""
    experiment = last_experiment(place) if place.chosen_uri is None else None
    return address if experiment is None else table_of(address, experiment)


def _send_what_waits(place: Place) -> Replayed:
    if not any(place.spools.glob("*/events.jsonl")):
        return Replayed()
    return replay(place.spools, MlflowTracker(place, privacy=Privacy.of(place.project)))
