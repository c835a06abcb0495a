"""The services of the compose file, started on this machine by what the file says of them.

Only what an engine would add is put in: names of hosts, ports, and where volumes and secrets lie.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import postgres
from tests.builders_ladders import every_modality
from tests.builders_searches import wait_until
from tests.builders_tracking import free_port
from tests.docker.files import DOCKER, read_compose, read_dockerfile

_SECRETS = ("database_password", "tracking_token", "serve_token")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A compose file, and where its services are on this machine.

    Parameters
    ----------
    folder
        With secrets, project, the server's files and what the services wrote.
    places
        What stands in the file, and what stands for it here, in order of replacement.
    """

    folder: Path
    compose: dict[str, Any]
    places: Sequence[tuple[str, str]]
    ports: dict[str, int]

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text().strip()

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()

    def command(self, service: str, *instead: str) -> list[str]:
        """How a service is started: its image's entry point, and its command or another one."""
        says = self.compose["services"][service]
        stages = read_dockerfile((DOCKER / "Dockerfile").read_text())
        program, *first = stages[says["build"]["target"]].entrypoint
        assert program == "hnmets"
        words = instead or [self.here(word) for word in says["command"]]
        return [sys.executable, "-m", "cli", *first, *words]

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service; none of ours but the file's."""
        says = self.compose["services"][service]["environment"]
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("HNMETS_", "MLFLOW_"))}
        return {**kept, "PYTHONUNBUFFERED": "1", **{n: self.here(v) for n, v in says.items()}}

    def here(self, text: str) -> str:
        for pattern, instead in self.places:
            text = re.sub(pattern, instead, text)
        return text

    def is_healthy(self, service: str) -> bool:
        """Ask as the engine would."""
        program, *words = self.compose["services"][service]["healthcheck"]["test"][1:]
        if service == "postgres":
            folder = postgres.binaries()
            assert folder is not None
            program = str(folder / program)
        else:
            assert program == "python"
            program = sys.executable
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.ports["postgres"])}
        done = subprocess.run(
            [program, *map(self.here, words)],
            env={**os.environ, **where},
            capture_output=True,
            check=False,
            timeout=30,
        )
        return done.returncode == 0

    def run(self, *instead: str) -> subprocess.CompletedProcess[str]:
        """Run the service `train` to its end, by its own command or another one."""
        return subprocess.run(
            self.command("train", *instead),
            env=self.environment("train"),
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    @contextmanager
    def service(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a service and wait until it is healthy; it is stopped as by an engine."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                self.command(name),
                env=self.environment(name),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: process.poll() is not None or self.is_healthy(name))
            assert process.poll() is None, self.log(name)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


@contextmanager
def started(folder: Path) -> Iterator[Stack]:
    """Start PostgreSQL and the tracking server."""
    with prepared(folder) as stack, stack.service("tracking"):
        yield stack


@contextmanager
def prepared(folder: Path) -> Iterator[Stack]:
    """Make secrets and a project, and start PostgreSQL, which is not started by our command."""
    (folder / "secrets").mkdir(mode=0o700)
    for name in _SECRETS:
        (folder / "secrets" / name).write_text(f"canary-{secrets.token_hex(16)}\n")
    (folder / "project").mkdir()
    every_modality(folder / "project")
    compose = read_compose(
        (DOCKER / "compose.yaml").read_text(), {"HNMETS_PROJECT": str(folder / "project")}
    )
    says = compose["services"]["postgres"]["environment"]
    assert says["POSTGRES_USER"] == "hnmets"
    password = (folder / "secrets" / Path(says["POSTGRES_PASSWORD_FILE"]).name).read_text()
    with postgres.server(says["POSTGRES_DB"], password=password.strip()) as database:
        ports = {"tracking": free_port(), "serve": free_port()}
        ports["postgres"] = int(database.rpartition(":")[2].partition("/")[0])
        yield Stack(folder=folder, compose=compose, places=_places(folder, ports), ports=ports)


def _places(folder: Path, ports: dict[str, int]) -> list[tuple[str, str]]:
    return [
        (r"^/run/secrets/", f"{folder}/secrets/"),
        (r"^/project\b", f"{folder}/project"),
        (r"^/files\b", f"{folder}/files"),
        (r"postgres:5432", f"127.0.0.1:{ports['postgres']}"),
        (r"//tracking:5000", f"//127.0.0.1:{ports['tracking']}"),
        (r"\b0\.0\.0\.0\b", "127.0.0.1"),
        (r"\b5000\b", str(ports["tracking"])),
        (r"\b8000\b", str(ports["serve"])),
    ]
