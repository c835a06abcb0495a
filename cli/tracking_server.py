"""`hnmets tracking-server`: MLflow for a team."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import options, render

Store = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="HNMETS_TRACKING_STORE",
        help="Database of the runs, without its password: postgresql://user@host/name.",
    ),
]
Artifacts = Annotated[
    Path,
    typer.Option(
        "--artifacts",
        envvar="HNMETS_TRACKING_ARTIFACTS",
        help="Folder of the runs' files; nothing outside of it is touched.",
    ),
]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Port to listen on.")]
Hosts = Annotated[
    str | None,
    typer.Option(
        "--allowed-hosts",
        envvar="HNMETS_TRACKING_HOSTS",
        help="Names under which it may be called, with commas.",
    ),
]
FileMib = Annotated[int, typer.Option("--file-mib", min=1, help="Largest file of a run, MiB.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes of MLflow.")]


def tracking_server(
    store: Store = "sqlite:///mlflow-team.db",
    artifacts: Artifacts = Path("mlflow-team-files"),
    host: Host = "127.0.0.1",
    port: Port = 5000,
    allowed_hosts: Hosts = None,
    file_mib: FileMib = 48,
    workers: Workers = 1,
) -> None:
    """Keep the runs of a team: MLflow behind a login; HNMETS_TRACKING_TOKEN holds the token.

    Give the token to those who log runs as MLFLOW_TRACKING_TOKEN; in a browser it is the
    password, of any name. Each secret may be a file: HNMETS_TRACKING_TOKEN_FILE names the
    token's, HNMETS_TRACKING_STORE_PASSWORD_FILE that of the database's password.
    """
    from hnmets.tracking.team_server import TeamServer
    from hnmets.workflows import tracking_server as workflow

    def say(address: str) -> None:
        render.say(f"{address}  (log in by any name and the token; Ctrl-C ends it)")
        sys.stdout.flush()

    server = TeamServer(
        store=store,
        artifacts=artifacts,
        host=host,
        port=port,
        hosts=options.split(allowed_hosts),
        workers=workers,
        password=workflow.store_password(),
    )
    workflow.run(server, file_mib=file_mib, on_start=say)
