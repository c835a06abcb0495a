"""A service on a port of this machine, and what tests ask of it."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import uvicorn

from hnmets.registry.errors import UnknownCaseError
from hnmets.registry.inputs import InputTable
from hnmets.registry.package import Package
from hnmets.registry.predictor import Predictor
from hnmets.serving.app import create_app
from hnmets.serving.running import listening
from hnmets.serving.settings import ServeSettings
from hnmets.serving.source import Loaded
from tests.builders_packages import KEY, held_out, table_of, written_package

CANARY = "CANARY-7f3"


@dataclass(kw_only=True)
class Shelf:
    """A source whose model can be exchanged, and that can be made to fail or to wait."""

    loaded: Loaded | None
    identity: str | None = None
    trouble: Exception | None = None
    wait: threading.Event | None = None
    asked: list[str] = field(default_factory=list)

    def current(self) -> str | None:
        return self.identity or (self.loaded.identity if self.loaded else None)

    def load(self) -> Loaded:
        if self.trouble is not None:
            raise self.trouble
        assert self.loaded is not None
        return self.loaded

    def lookup(self, _package: Package, case_ids: Sequence[str]) -> InputTable:
        if self.wait is not None:
            assert self.wait.wait(20)
        if self.trouble is not None:
            raise self.trouble
        of = held_out()
        for place, case_id in enumerate(case_ids):
            if case_id not in of.case_ids:
                raise UnknownCaseError(case_id, place=place)
        self.asked += case_ids
        return table_of(of, [of.case_ids.index(case_id) for case_id in case_ids])


def loaded(folder: Path, *, version: int = 1) -> Loaded:
    """A model of clinical variables and size."""
    package, digest = written_package(folder)
    predictor = Predictor.load(package, digest=digest, key=KEY)
    return Loaded(
        name="few", version=version, identity=f"{version}{digest[1:]}", predictor=predictor
    )


@contextmanager
def service(source: Shelf, **settings: Any) -> Iterator[int]:  # noqa: ANN401 - any setting
    """Serve in a thread; yield the port."""
    chosen = ServeSettings(**{"port": 0, "reload_s": 0.05, **settings})
    server = uvicorn.Server(listening(create_app(source, chosen), chosen))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.text)


def ask(
    port: int,
    path: str,
    body: object = None,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answered:
    """Send a request; bytes are sent as they are, other bodies as JSON."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    verb = method or ("GET" if body is None else "POST")
    connection.request(
        verb, path, content, {"Content-Type": "application/json", **(headers or {})}
    )
    answer = connection.getresponse()
    found = Answered(
        status=answer.status,
        headers={name.lower(): value for name, value in answer.getheaders()},
        text=answer.read().decode(),
    )
    connection.close()
    return found


def patients(places: Sequence[int], seed: int = 0) -> dict[str, Any]:
    """A body of `/predict`, the columns of each patient in another order."""
    import random

    table = table_of(held_out(), places)
    rng = random.Random(seed)  # noqa: S311 - an order
    found = []
    for row, case_id in enumerate(table.case_ids):
        names = list(table.columns)
        rng.shuffle(names)
        values = {name: _plain(table.columns[name][row]) for name in names}
        found.append({"case_id": case_id, "values": values})
    return {"patients": found}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell
    return None if value != value else value  # noqa: PLR0124 - NaN is no JSON
