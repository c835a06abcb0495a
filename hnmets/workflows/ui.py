"""`ui`: the runs of a study in MLflow's web pages."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.tracking.errors import TrackerRefusedError, TrackerUnreachableError
from hnmets.tracking.mlflow_tracker import MlflowTracker
from hnmets.tracking.pages import VIEW_NAME, table_of
from hnmets.tracking.place import Place, place_of
from hnmets.tracking.privacy import Privacy, without_credentials
from hnmets.tracking.project_store import last_experiment
from hnmets.tracking.replay import Replayed, replay
from hnmets.tracking.server import serving
from hnmets.workflows.study import load_study


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What can be looked at.

    Parameters
    ----------
    address
        Of the rungs; of the first page where `way` says how to go on from there.
    way
        What to open there; empty where the address leads to the rungs.
    served
        Whether this process serves them, until Ctrl-C.
    replayed
        What became of events that had not been sent.
    """

    address: str
    way: str = ""
    served: bool
    replayed: Replayed


def run(study: Path, *, port: int, on_ready: Callable[[Shown], None]) -> None:
    """Send what waits, serve the pages, tell where they are, and go on until interrupted.

    Where `MLFLOW_TRACKING_URI` names a server, its pages are the ones: nothing is started.

    Parameters
    ----------
    study
        The study file; runs are kept in its folder.

    Raises
    ------
    UsageError
        If the project has no runs, or the port is taken.
    """
    place = place_of(study.parent, os.environ)
    replayed = _send_what_waits(place)
    if place.is_server:
        address = without_credentials(place.uri).rstrip("/")
        on_ready(_shown(address, place, study, replayed))
        return
    if place.chosen_uri is None and not place.database.exists():
        raise UsageError(f"there are no runs in {place.project}").with_note(
            "Runs are kept beside the study file: name it with --study."
        )
    # Ctrl-C is how it is meant to end.
    with suppress(KeyboardInterrupt), serving(place, port=port) as server:
        on_ready(_shown(server.address, place, study, replayed))
        server.wait()


def _shown(address: str, place: Place, study: Path, replayed: Replayed) -> Shown:
    """Return the page of the rungs, or the way to it."""
    name = "" if place.chosen_uri is None else _name(study)
    experiment = _experiment(place, name)
    what = f"the experiment '{name}'" if name else "the study's experiment"
    return Shown(
        address=address if experiment is None else table_of(address, experiment),
        way=f"open {what} there, then Views → {VIEW_NAME}" if experiment is None else "",
        served=not place.is_server,
        replayed=replayed,
    )


def _name(study: Path) -> str:
    """Return the name of the study; empty where its file cannot be read here."""
    try:
        return load_study(study).about.name
    except InvalidDataError:
        # The pages can be looked at where the data are not.
        return ""


def _experiment(place: Place, name: str) -> int | None:
    """Return the experiment of the newest run; where others have runs too, that of the study."""
    if place.chosen_uri is None:
        return last_experiment(place)
    if not name:
        return None
    try:
        return MlflowTracker(place, privacy=Privacy.of(place.project)).experiment_with_view(name)
    except (TrackerUnreachableError, TrackerRefusedError):
        # It may answer a browser, which has the login.
        return None


def _send_what_waits(place: Place) -> Replayed:
    if not any(place.spools.glob("*/events.jsonl")):
        return Replayed()
    return replay(place.spools, MlflowTracker(place, privacy=Privacy.of(place.project)))
