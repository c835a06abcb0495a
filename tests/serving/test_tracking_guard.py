"""The guard of a tracking server, around an application that tells what reaches it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.domain.errors import UsageError
from hnmets.serving.problems import Problem
from hnmets.serving.tracking_bodies import LONGEST_VALUE, check_body
from hnmets.serving.tracking_guard import TrackingGuard
from hnmets.serving.tracking_routes import is_safe
from hnmets.serving.tracking_settings import TrackingSettings

TOKEN = "correct-horse-battery"  # noqa: S105 - of a test
LOGIN = (b"authorization", f"Bearer {TOKEN}".encode())
HOST = (b"host", b"localhost:5000")
JSON = b"application/json"
FILE = "/api/2.0/mlflow-artifacts/artifacts/1/x"


@dataclass(kw_only=True)
class Inner:
    """An application that reads the body to its end, and keeps it."""

    bodies: list[bytes] = field(default_factory=list)
    hung_up: int = 0
    trouble: Exception | None = None

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if self.trouble is not None:
            raise self.trouble
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.hung_up += 1
                break
            body += message["body"]
            if not message.get("more_body"):
                self.bodies.append(body)
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def asked(
    inner: Inner,
    path: str,
    parts: Sequence[bytes] = (b"",),
    *,
    headers: Sequence[tuple[bytes, bytes]] = (HOST, LOGIN),
    pause_s: float = 0.0,
    **settings: Any,  # noqa: ANN401 - any setting
) -> tuple[int, bytes]:
    """Send a request; return status and body of what came back."""
    guard = TrackingGuard(inner, TrackingSettings(**{"token": TOKEN, **settings}))
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause_s)
        return messages.pop(0)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    asyncio.run(guard({**scope, "query_string": b""}, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_what_is_large_and_announces_nothing_is_cut_off_while_it_comes() -> None:
    inner = Inner()
    status, body = asked(inner, FILE, [b"x" * 100] * 11, file_bytes=1000)
    assert (status, inner.bodies, inner.hung_up) == (413, [], 1)
    assert json.loads(body)["error_code"] == "INVALID_PARAMETER_VALUE"
    assert asked(inner, FILE, [b"x" * 100] * 10, file_bytes=1000)[0] == 200
    assert inner.bodies == [b"x" * 1000]


def test_a_file_that_stops_coming_is_given_up() -> None:
    inner = Inner()
    assert asked(inner, FILE, [b"x", b"y"], pause_s=0.2, wait_s=0.05)[0] == 408
    assert inner.hung_up == 1


def test_a_length_that_is_announced_is_believed_only_if_it_is_too_large() -> None:
    large = (HOST, LOGIN, (b"content-length", b"1001"))
    inner = Inner()
    assert asked(inner, FILE, headers=large, file_bytes=1000)[0] == 413
    false = (HOST, LOGIN, (b"content-length", b"1"))
    assert asked(inner, FILE, [b"x" * 1001], headers=false, file_bytes=1000)[0] == 413
    assert inner.bodies == []


def test_a_document_reaches_the_server_byte_for_byte() -> None:
    inner, body = Inner(), b'{"experiment_ids":["1"],  "filter":"a = \'\xc3\xbc\'"}'
    headers = (HOST, LOGIN, (b"content-type", JSON))
    parts = [body[:7], body[7:]]
    assert asked(inner, "/api/2.0/mlflow/runs/search", parts, headers=headers)[0] == 200
    assert inner.bodies == [body]


def test_a_fault_of_the_server_is_told_without_its_story() -> None:
    status, body = asked(Inner(trouble=ValueError("canary-7f3")), FILE)
    assert status == 500
    assert b"canary" not in body


def test_a_websocket_is_turned_away() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message)

    guard = TrackingGuard(Inner(), TrackingSettings(token=TOKEN))
    asyncio.run(guard({"type": "websocket"}, None, send))  # type: ignore[arg-type]  # nothing comes
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize(
    "document",
    [
        {"name": "a", "artifact_location": ""},
        {"run_id": "r", "key": "t", "value": "x" * LONGEST_VALUE},
        {"run_id": "r", "key": "t", "value": "NaN"},
        {"run_id": "r", "key": "auc", "value": 0.5, "timestamp": 1},
        {"run_id": "r", "metrics": [{"key": "auc", "value": "0.5", "timestamp": 1}]},
        {"run_id": "r", "metrics": 7},
    ],
    ids=["no location", "longest tag", "a tag called NaN", "metric", "metric as text", "odd"],
)
def test_what_a_team_says_is_let_through(document: dict[str, object]) -> None:
    check_body(json.dumps(document).encode(), b"application/json; charset=utf-8")


@pytest.mark.parametrize(
    "value",
    ['"NaN"', '"Infinity"', '"-inf"', '"x"', "null", "[]", "1e999", "9" * 400, "NaN"],
    ids=lambda value: value[:10],
)
def test_a_metric_that_is_no_finite_number_is_refused(value: str) -> None:
    body = f'{{"key": "auc", "value": {value}, "timestamp": 1}}'.encode()
    with pytest.raises(Problem) as caught:
        check_body(body, JSON)
    assert "finite" in caught.value.message


_PARTS = st.text(
    st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8
).filter(lambda part: part not in {".", ".."})


@given(st.lists(_PARTS, min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 3))
def test_no_number_of_encodings_hides_the_folder_above(
    parts: list[str], place: int, times: int
) -> None:
    assert is_safe("/".join(parts))
    hidden = ".." if times == 0 else "%2e%2e"
    for _ in range(times - 1):
        hidden = quote(hidden)
    assert not is_safe("/".join([*parts[:place], hidden, *parts[place:]]))


@pytest.mark.parametrize("token", [None, "", "short"])
def test_without_a_token_worth_its_name_nothing_is_served(token: str | None) -> None:
    environ = {} if token is None else {"HNMETS_TRACKING_TOKEN": token}
    with pytest.raises(UsageError, match="16 characters") as caught:
        TrackingSettings.of(environ)
    assert "HNMETS_TRACKING_TOKEN_FILE" in caught.value.__notes__[0]
