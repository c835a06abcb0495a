"""Servers that cannot listen say so before they make anything, and end with a code."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from hnmets.domain.errors import HnmetsError, UsageError
from hnmets.execution.port import require_free
from hnmets.serving.running import run_service
from hnmets.serving.settings import ServeSettings
from tests.builders_cohorts import command
from tests.builders_searches import wait_until
from tests.builders_studies import write
from tests.builders_tracking import free_port

TOKEN = "correct-horse-battery"  # noqa: S105 - of a test
COMMANDS = {
    "serve": ("serve",),
    "tracking-server": ("tracking-server",),
    "ui": ("ui", "--no-open"),
}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_port_that_is_taken_is_named_before_anything_is_made(
    name: str, empty_project: Path, taken_port: int
) -> None:
    write(empty_project, toml='[study]\nname = "a study"\n[cohort]\nimage = "{case}.nii"\n')
    before = sorted(empty_project.rglob("*"))
    done = subprocess.run(
        command(*COMMANDS[name], "--port", str(taken_port)),
        cwd=empty_project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HNMETS_TRACKING_TOKEN": TOKEN, "MLFLOW_TRACKING_URI": ""},
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {taken_port} is taken" in done.stderr
    assert "--port" in done.stderr
    assert sorted(empty_project.rglob("*")) == before


def test_a_free_port_is_free_and_an_address_of_elsewhere_is_none(taken_port: int) -> None:
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - asked, not listened on
        require_free(host, free_port())
        require_free(host, 0)
        with pytest.raises(UsageError, match=f"port {taken_port} is taken"):
            require_free(host, taken_port)
    # TEST-NET-1, RFC 5737: nobody's.
    with pytest.raises(UsageError, match=r"'192\.0\.2\.1' is no address to listen on") as caught:
        require_free("192.0.2.1", 0)
    assert "--host" in caught.value.__notes__[0]


def test_a_service_that_never_listened_has_failed(taken_port: int) -> None:
    from fastapi import FastAPI

    said: list[str] = []
    with pytest.raises(HnmetsError, match="did not start"):
        run_service(FastAPI(), ServeSettings(port=taken_port), on_ready=said.append)
    assert said == []


@pytest.mark.slow
def test_mlflows_server_ends_well_only_when_it_was_told_to(
    empty_project: Path, taken_port: int
) -> None:
    def start(port: int) -> subprocess.Popen[bytes]:
        words = ("-m", "hnmets.tracking.mlflow_server", "--workers", "1", "--port", str(port))
        store = ("--backend-store-uri", f"sqlite:///{empty_project / 'mlflow.db'}")
        return subprocess.Popen([sys.executable, *words, *store], cwd=empty_project)

    assert start(taken_port).wait(timeout=120) == 1
    port = free_port()
    server = start(port)
    until_it_answers(server, port)
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_teams_server_says_where_it_is_and_nothing_of_what_its_parts_are_made_of(
    empty_project: Path,
) -> None:
    port = free_port()
    server = subprocess.Popen(
        command("tracking-server", "--port", str(port), "--store", "sqlite:///mlflow.db"),
        cwd=empty_project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HNMETS_TRACKING_TOKEN": TOKEN},
    )
    until_it_answers(server, port)
    server.send_signal(signal.SIGINT)
    said, log = server.communicate(timeout=60)
    assert server.returncode == 0
    assert said == f"http://127.0.0.1:{port}  (log in by any name and the token; Ctrl-C ends it)\n"
    assert "Warning" not in log


def until_it_answers(server: subprocess.Popen[Any], port: int) -> None:
    def ready() -> bool:
        assert server.poll() is None
        return answers(f"http://127.0.0.1:{port}/health")

    wait_until(ready)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310  # loopback
            return bool(answer.status == 200)
    except URLError:
        return False
