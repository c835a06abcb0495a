"""How MLflow's client behaves in our processes; it reads this from the environment alone."""

import os

from hnmets.domain.secret import read_secret

# The client's own name of it. In a file, it goes by the name that the server's guard knows.
_CLIENT_TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105 - the name of a variable
_TOKEN_FILE = "HNMETS_TRACKING_TOKEN_FILE"  # noqa: S105 - the name of a variable
TELEMETRY_OFF = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
# The spool tries again. A retry inside the client could begin a run twice.
_OURS = {
    **TELEMETRY_OFF,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # ours are drawn on terminals alone
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout belongs to `--json`
}
_USUAL = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_LOGGING_LEVEL": "WARNING"}


def apply() -> None:
    """Set what we rely on; must come before the first import of mlflow, which acts on it."""
    os.environ.update(_OURS)
    for name, value in _USUAL.items():
        os.environ.setdefault(name, value)
    if _TOKEN_FILE in os.environ and _CLIENT_TOKEN not in os.environ:
        token = read_secret(_TOKEN_FILE.removesuffix("_FILE"), os.environ)
        os.environ[_CLIENT_TOKEN] = token or ""
