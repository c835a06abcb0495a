"""What stands before the service: host, token, size, time and number, before any parsing."""

import asyncio
import hmac
import json
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hnmets.serving.metrics import Metrics
from hnmets.serving.problems import Problem, busy, invalid, unexpected
from hnmets.serving.settings import ServeSettings

_log = logging.getLogger(__name__)
# A load balancer asks these, and knows no token.
OPEN = frozenset({"/ping", "/health", "/ready"})
ROUTES = OPEN | {"/version", "/schema", "/metrics", "/predict", "/invocations"}
_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# The page of the interface needs scripts; it is for developers.
_DOCS = frozenset({"/docs", "/openapi.json"})


@dataclass(kw_only=True)
class _Answer:
    """How a request is answered.

    Parameters
    ----------
    reference
        Under which the log has it.
    """

    send: Send
    route: str
    reference: str = field(default_factory=lambda: secrets.token_hex(8))
    status: int = 0

    async def __call__(self, message: Message) -> None:
        """Pass a message on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            extra = {"X-Request-Id": self.reference}
            extra |= {} if self.route in _DOCS else _SECURITY
            message["headers"] = [*message["headers"], *_encoded(extra)]
        await self.send(message)

    async def problem(self, problem: Problem) -> None:
        """Answer with a problem, unless the answer has begun."""
        if self.status:
            return
        content = json.dumps(problem.document(self.reference)).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        start = {"type": "http.response.start", "status": problem.status}
        await self({**start, "headers": _encoded({**headers, **problem.headers})})
        await self.send({"type": "http.response.body", "body": content})


class Guard:
    """An ASGI layer around the service.

    The body is read here, counted while it comes; what the service sees fits and is whole.
    Starlette's own limits do not cover bodies that are read at once.
    """

    def __init__(self, app: ASGIApp, *, settings: ServeSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        answer = _Answer(send=send, route=path if path in ROUTES | _DOCS else "other")
        began = time.perf_counter()
        try:
            await self._guarded(scope, receive, answer)
        except Problem as problem:
            await answer.problem(problem)
        except Exception as error:
            _log.error("request %s: %s", answer.reference, type(error).__name__)
            await answer.problem(unexpected())
        seconds = time.perf_counter() - began
        self._metrics.request(answer.route, answer.status, seconds)
        line = {
            "route": answer.route,
            "status": answer.status,
            "ms": round(1000 * seconds, 2),
            "request": answer.reference,
        }
        _log.info("%s", json.dumps(line))

    async def _guarded(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        self._require_host(headers)
        if answer.route in OPEN:
            await self._app(scope, receive, answer)
            return
        self._require_token(headers)
        if self._at_work >= self._settings.at_once:
            raise busy()
        self._at_work += 1
        try:
            await self._answered(scope, receive, answer, headers)
        finally:
            self._at_work -= 1

    async def _answered(
        self, scope: Scope, receive: Receive, answer: _Answer, headers: Mapping[str, bytes]
    ) -> None:
        self._require_plain(headers)
        try:
            async with asyncio.timeout(self._settings.body_s):
                body = await self._body(receive)
        except TimeoutError:
            raise Problem(
                status=408, code="too_slow", message="the request did not arrive in time"
            ) from None
        if body is None:
            return
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await self._app(scope, _again(body, receive), answer)
        except TimeoutError:
            raise busy() from None

    async def _body(self, receive: Receive) -> bytes | None:
        """Read the body, however it comes; None where the caller has gone."""
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > self._settings.body_bytes:
                raise _too_large()
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    def _require_host(self, headers: Mapping[str, bytes]) -> None:
        host = headers.get("host", b"").decode("latin-1")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.strip("[]") not in self._settings.allowed_hosts:
            raise Problem(status=400, code="unknown_host", message="the service has another name")

    def _require_token(self, headers: Mapping[str, bytes]) -> None:
        token = self._settings.token
        if token is None:
            return
        given = headers.get("authorization", b"")
        # In the same time for every wrong token.
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise Problem(status=401, code="unauthorised", message="a token is needed")

    def _require_plain(self, headers: Mapping[str, bytes]) -> None:
        if headers.get("content-encoding", b"identity") != b"identity":
            raise Problem(status=415, code="encoded", message="the body has to come uncompressed")
        length = headers.get("content-length")
        if length is None:
            return
        if not length.isdigit():
            raise invalid("Content-Length is no number")
        if int(length) > self._settings.body_bytes:
            raise _too_large()


def _too_large() -> Problem:
    return Problem(status=413, code="too_large", message="the body is too large")


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more, and then what the caller does."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
