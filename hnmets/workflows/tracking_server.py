"""`tracking-server`: MLflow for a team, behind the guard."""

import os
from collections.abc import Callable
from importlib.metadata import entry_points

from hnmets.domain.errors import HnmetsError
from hnmets.domain.secret import read_secret
from hnmets.execution.port import require_free
from hnmets.serving.tracking_settings import FILE_MIB, HOSTS, TrackingSettings
from hnmets.tracking.team_server import TeamServer

STORE_PASSWORD = "HNMETS_TRACKING_STORE_PASSWORD"  # noqa: S105 - the name of a variable


def store_password() -> str | None:
    """Return the password of the database's account; None where there is none."""
    return read_secret(STORE_PASSWORD, os.environ)


def run(server: TeamServer, *, file_mib: int, on_start: Callable[[str], None]) -> None:
    """Become MLflow's server; does not return.

    The process is replaced, not watched: what stops it, a container's engine say, then reaches
    MLflow itself.

    Parameters
    ----------
    file_mib
        Largest file of a run.
    on_start
        Told the address, before it answers.

    Raises
    ------
    UsageError
        If there is no token, one that can be guessed, or the port is taken.
    """
    guard = {HOSTS: ",".join(server.hosts), FILE_MIB: str(file_mib)}
    environment = server.environment({**os.environ, **guard})
    # MLflow would start its processes again and again.
    TrackingSettings.of(environment)
    _require_plug_in()
    require_free(server.host, server.port)
    server.artifacts.mkdir(parents=True, exist_ok=True)
    on_start(f"http://{server.host}:{server.port}")
    os.execve(server.command[0], server.command, environment)  # noqa: S606 - our own arguments


def _require_plug_in() -> None:
    if "hnmets" not in entry_points(group="mlflow.app").names:
        raise HnmetsError("MLflow does not find the guard").with_note(
            "Install hnmets again; the folder of its code alone is not enough."
        )
