"""Where a project keeps its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "MLFLOW_TRACKING_URI"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder with `mlflow.db` and `mlruns`, or whatever `MLFLOW_TRACKING_URI` names.

    Parameters
    ----------
    project
        Folder of the study.
    chosen_uri
        What `MLFLOW_TRACKING_URI` says; None for the project's own database, which is also
        what a bare `mlflow ui` in that folder opens.
    """

    project: Path
    chosen_uri: str | None = None

    @property
    def uri(self) -> str:
        """Address for the MLflow client."""
        return self.chosen_uri or f"sqlite:///{self.database}"

    @property
    def is_server(self) -> bool:
        """Whether the runs go over a network."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def database(self) -> Path:
        """The project's own database."""
        return self.project.absolute() / "mlflow.db"

    @property
    def spools(self) -> Path:
        """Folder of the events that are still to be sent."""
        return self.project / "mlflow.spool"


def place_of(project: Path, environ: Mapping[str, str]) -> Place:
    """Return where runs of a project go."""
    return Place(project=project, chosen_uri=environ.get(VARIABLE) or None)
