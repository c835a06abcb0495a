"""MLflow's own web server over a project, on this machine alone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.request import urlopen

from hnmets.domain.errors import HnmetsError
from hnmets.execution.port import require_free
from hnmets.tracking.mlflow_settings import TELEMETRY_OFF
from hnmets.tracking.place import Place

HOST = "127.0.0.1"
# Measured: up to 48 s on two busy cores.
_READY_WITHIN_S = 180.0
_STOP_WITHIN_S = 10.0
_LAST_LINES = 3
_SETTINGS = {
    **TELEMETRY_OFF,
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # on by default, and open to whoever asks
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running `mlflow ui`."""

    address: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def wait(self) -> None:
        """Wait until it ends of its own accord.

        Raises
        ------
        HnmetsError
            When it does: it should not.
        """
        # Once MLflow is imported, a wait without an end sleeps through Ctrl-C (seen).
        while self.process.poll() is None:
            time.sleep(0.2)
        raise self._ended()

    def wait_until_ready(self) -> None:
        """Wait for its first answer.

        Raises
        ------
        HnmetsError
            If it ends before, or stays silent.
        """
        deadline = time.monotonic() + _READY_WITHIN_S
        while not _answers(f"{self.address}/health"):
            if self.process.poll() is not None:
                raise self._ended()
            if time.monotonic() > deadline:
                raise HnmetsError(f"mlflow ui does not answer at {self.address}")
            time.sleep(0.2)

    def _ended(self) -> HnmetsError:
        self.output.seek(0)
        words = self.output.read().decode(errors="replace").strip().splitlines()
        return HnmetsError(f"mlflow ui ended with code {self.process.returncode}").with_note(
            "\n  ".join(words[-_LAST_LINES:])
        )


@contextmanager
def serving(place: Place, *, port: int) -> Iterator[Server]:
    """Start the server and wait for it; it and its workers end with the block.

    Raises
    ------
    UsageError
        If the port is taken.
    HnmetsError
        If it does not start.
    """
    require_free(HOST, port)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603  # our own arguments
            _command(place, port),
            cwd=place.project,  # the folders of the artifacts are relative to it
            env={**os.environ, **_SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C is ours, and all its workers end with it.
            start_new_session=True,
        )
        server = Server(address=f"http://{HOST}:{port}", process=process, output=output)
        try:
            server.wait_until_ready()
            yield server
        finally:
            _stop(process)


def _command(place: Place, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "ui"),
        *("--backend-store-uri", place.uri),
        *("--host", HOST, "--port", str(port)),
        *("--workers", "1"),  # one person looks at it
    ]


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310  # our own address
            return bool(answer.status == 200)
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    # The group outlives its leader, and an empty one is no mistake.
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_STOP_WITHIN_S)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()
