"""MLflow's tracking server for a team: every setting is said, none left to a default."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from hnmets.domain.errors import UsageError
from hnmets.tracking.mlflow_settings import TELEMETRY_OFF

# The name of our entry point in MLflow's group `mlflow.app`.
_APP = "hnmets"
_SETTINGS = {
    **TELEMETRY_OFF,
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # on by default
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": "^(mlflow-artifacts|models|runs):/",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
# The guard logs requests, without paths; hangers-on are let go; so many at a time, then 503.
_UVICORN = (
    "--no-access-log --no-server-header --no-proxy-headers --limit-concurrency 200"
    " --timeout-keep-alive 5 --timeout-graceful-shutdown 10 --h11-max-incomplete-event-size 65536"
)
_DRIVER = "postgresql+psycopg"


@dataclass(frozen=True, kw_only=True)
class TeamServer:
    """Where a team's runs are kept, and under which names.

    Parameters
    ----------
    store
        Database for SQLAlchemy, without a password.
    artifacts
        Folder of the files; nothing outside of it is read or written.
    hosts
        Names by which it is called, besides those of this machine.
    """

    store: str
    artifacts: Path
    host: str
    port: int
    hosts: tuple[str, ...] = ()
    workers: int = 1
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check that no password stands where everybody sees it, and that one has its account."""
        if urlsplit(self.store).password is not None:
            raise UsageError("the address of the store holds a password").with_note(
                "Leave it out; HNMETS_TRACKING_STORE_PASSWORD_FILE names a file that holds it."
            )

        if self.password is not None and "@" not in self.store:
            raise UsageError("a password was given, but the store's address names no account")

    @property
    def command(self) -> list[str]:
        """The command line; everybody on the machine may see it."""
        return [
            *(sys.executable, "-m", "hnmets.tracking.mlflow_server"),
            *("--app-name", _APP),
            *("--host", self.host, "--port", str(self.port), "--workers", str(self.workers)),
            "--serve-artifacts",
            *("--artifacts-destination", self.artifacts.absolute().as_uri()),
            *("--default-artifact-root", "mlflow-artifacts:/"),
            *("--allowed-hosts", ",".join(self._names)),
            *("--cors-allowed-origins", ",".join(self._origins)),
            *("--uvicorn-opts", _UVICORN),
        ]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of the process; nobody else sees them."""
        store = self._store_with_password
        # MLflow would take the same for its models, and say so on stdout.
        stores = {"MLFLOW_BACKEND_STORE_URI": store, "MLFLOW_REGISTRY_STORE_URI": store}
        return {**environ, **_SETTINGS, **stores}

    @property
    def _store_with_password(self) -> str:
        scheme, separator, rest = self.store.partition("://")
        if scheme == "postgresql":
            # The driver that hnmets requires, and not SQLAlchemy's own choice.
            scheme = _DRIVER
        if self.password is not None:
            user, _, place = rest.partition("@")
            rest = f"{user}:{quote(self.password, safe='')}@{place}"
        return f"{scheme}{separator}{rest}"

    @property
    def _names(self) -> list[str]:
        own = ("localhost", "127.0.0.1", "[::1]", *self.hosts)
        # MLflow compares with the port.
        return [each for name in own for each in (name, f"{name}:*".replace("[", "[[]", 1))]

    @property
    def _origins(self) -> list[str]:
        names = self.hosts or ("localhost",)
        return [
            f"{scheme}://{name}{port}"
            for name in names
            for scheme in ("http", "https")
            for port in ("", ":*")
        ]
