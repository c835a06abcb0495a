"""Runs to be tracked, and what a tracker remembers of them."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hnmets.tracking import mlflow_settings
from hnmets.tracking.base import Artifact, Metric, NewRun, Status, Tracker
from hnmets.tracking.errors import TrackerUnreachableError
from hnmets.tracking.in_memory import InMemoryTracker
from hnmets.tracking.mlflow_tracker import KEY_TAG
from tests.builders_cohorts import command

AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
FOLDS = 5


def new_run(name: str = "02 clinical + size (logistic)", **fields: Any) -> NewRun:  # noqa: ANN401  # any field of a run
    """A run with whatever is said of it."""
    return NewRun(**{"experiment": "a study", "name": name, "at": AT} | fields)


def do_the_work(
    tracker: Tracker, *, folds: int = FOLDS, prefix: str = "run", experiment: str = "a study"
) -> None:
    """Log an evaluation: one parent, a child per fold, each with a curve and a file."""
    prefix = f"{prefix}-{experiment}".replace(" ", "_")
    parent = tracker.start(
        new_run("evaluation", key=f"{prefix}-parent", experiment=experiment, tags={"view": "all"})
    )
    for fold in range(1, folds + 1):
        child = tracker.start(
            new_run(
                f"fold {fold}",
                key=f"{prefix}-{fold}",
                experiment=experiment,
                parent=parent,
                params={"f": "1"},
            )
        )
        curve = [Metric(name="loss", value=1 / step, step=step) for step in range(1, 4)]
        auc = Metric(name="auc", value=0.7 + fold / 100)
        tracker.log_metrics(child, [auc, *curve], at=AT)
        tracker.log_artifact(child, Artifact.text("notes/fold.txt", f"fold {fold}"))
        tracker.end(child, Status.FINISHED, at=AT + timedelta(seconds=fold))
    tracker.end(parent, Status.FINISHED, at=AT + timedelta(minutes=1))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a tracker remembers of one run; the parent by its key, metrics as (step, value)."""

    name: str
    parent: str | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, Sequence[tuple[int, float]]]
    artifacts: Mapping[str, bytes]
    status: str | None


def in_memory(tracker: InMemoryTracker) -> list[Seen]:
    """What the fake remembers."""
    return [
        Seen(
            name=kept.run.name,
            parent=kept.run.parent,
            tags=kept.run.tags,
            params=kept.run.params,
            metrics={
                name: sorted((m.step, m.value) for m in kept.metrics if m.name == name)
                for name in kept.values
            },
            artifacts=kept.artifacts,
            status=kept.status,
        )
        for kept in tracker.runs.values()
    ]


def in_mlflow(
    uri: str, folder: Path | None = None, *, experiment_id: str | None = None
) -> list[Seen]:
    """What MLflow remembers of one experiment or all; artifacts from a folder, if one is given."""
    mlflow_settings.apply()
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    ids = (
        [experiment_id]
        if experiment_id
        else [e.experiment_id for e in client.search_experiments()]
    )
    runs = client.search_runs(ids, order_by=["attributes.start_time ASC"], max_results=5000)
    keys = {run.info.run_id: run.data.tags[KEY_TAG] for run in runs}
    return [
        Seen(
            name=run.info.run_name,
            parent=keys.get(run.data.tags.get("mlflow.parentRunId", "")),
            tags={k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.")},
            params=run.data.params,
            metrics={
                name: sorted(
                    (point.step, point.value)
                    for point in client.get_metric_history(run.info.run_id, name)
                )
                for name in run.data.metrics
            },
            artifacts=_files(folder / run.info.artifact_uri) if folder else {},
            status=None if run.info.status == "RUNNING" else run.info.status,
        )
        for run in runs
    ]


def _files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def expected(folds: int = FOLDS) -> list[tuple[str, dict[str, list[tuple[int, float]]]]]:
    """Names and numbers that `do_the_work` has to leave, sorted."""
    curve = [(1, 1.0), (2, 1 / 2), (3, 1 / 3)]
    return sorted(
        [
            ("evaluation", {}),
            *(
                (f"fold {fold}", {"auc": [(0, 0.7 + fold / 100)], "loss": curve})
                for fold in range(1, folds + 1)
            ),
        ],
        key=lambda pair: pair[0],
    )


def names_and_numbers(seen: Sequence[Seen]) -> list[tuple[str, Mapping[str, object]]]:
    """What is compared with `expected`."""
    return sorted(((run.name, dict(run.metrics)) for run in seen), key=lambda pair: pair[0])


class Unreliable:
    """An in-memory tracker behind trouble: `trouble` is called before each call and may raise."""

    def __init__(self, trouble: Callable[[], object]) -> None:
        self.kept = InMemoryTracker()
        self.trouble = trouble

    def start(self, run: NewRun) -> str:
        self.trouble()
        return self.kept.start(run)

    def log_metrics(self, key: str, metrics: Sequence[Metric], *, at: datetime) -> None:
        self.trouble()
        self.kept.log_metrics(key, metrics, at=at)

    def log_artifact(self, key: str, artifact: Artifact) -> None:
        self.trouble()
        self.kept.log_artifact(key, artifact)

    def end(self, key: str, status: Status, *, at: datetime) -> None:
        self.trouble()
        self.kept.end(key, status, at=at)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ui(project: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `hnmets ui`; it ends with the block, as by Ctrl-C if it has not ended before."""
    words = ("ui", "--study", project / "study.toml", "--no-open", "--port", str(free_port()))
    process = subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            process.communicate()


def address_of(server: subprocess.Popen[str]) -> str:
    """Return the page that it names, once it is healthy."""
    assert server.stdout is not None
    return server.stdout.readline().split()[0]


def unreachable() -> None:
    """Raise as a tracker does when its server is down."""
    raise TrackerUnreachableError("connection refused")


class Proxy:
    """A server in front of a real one, which it can hide in several ways.

    Parameters
    ----------
    fate
        Called with number (from 1) and path of each request; returns `pass`, `500`, `garbage`,
        `drop` (no answer, never seen by the real server), `cut` (carried out, but the answer is
        lost) or `late` (carried out after `late_s`, when nobody listens any more).
    """

    def __init__(
        self, upstream: str, fate: Callable[[int, str], str], *, late_s: float = 30.0
    ) -> None:
        self.fate = fate
        self.n_requests = 0
        self._late_s = late_s
        self._host = upstream.removeprefix("http://")
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                proxy.n_requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.close_connection = True
                proxy.answer(self, proxy.fate(proxy.n_requests, self.path), body)

            do_GET = handle_any  # noqa: N815  # the name is http.server's
            do_POST = handle_any  # noqa: N815  # the name is http.server's
            do_PUT = handle_any  # noqa: N815  # the name is http.server's
            do_PATCH = handle_any  # noqa: N815  # the name is http.server's

            def log_message(self, *_arguments: object) -> None:
                """Stay silent."""

        return Handler

    def answer(self, request: BaseHTTPRequestHandler, fate: str, body: bytes) -> None:
        if fate == "late":
            self._ended.wait(self._late_s)
        if fate == "drop" or self._ended.is_set():
            return
        if fate in {"500", "garbage"}:
            self.reply(request, 500 if fate == "500" else 200, b"<html>busy</html>")
            return
        connection = HTTPConnection(self._host, timeout=30)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "connection"}
        connection.request(request.command, request.path, body, headers | {"Host": self._host})
        real = connection.getresponse()
        content = real.read()
        connection.close()
        if fate == "pass":
            self.reply(request, real.status, content)

    @staticmethod
    def reply(request: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
