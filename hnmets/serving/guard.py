"""What stands before the service: host, token, size, time and number, before any parsing."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from hnmets.serving.answer import SECURITY, Answer
from hnmets.serving.body import again, read_body, require_plain
from hnmets.serving.caller import headers_of, knows_bearer, require_host
from hnmets.serving.metrics import Metrics
from hnmets.serving.problems import Problem, busy
from hnmets.serving.rate import Rate
from hnmets.serving.settings import ServeSettings

_log = logging.getLogger(__name__)
# A load balancer asks these, and knows no token.
OPEN = frozenset({"/ping", "/health", "/ready"})
ROUTES = OPEN | {"/version", "/schema", "/metrics", "/predict", "/invocations"}
# The page of the interface needs scripts; it is for developers.
_DOCS = frozenset({"/docs", "/openapi.json"})


class Guard:
    """An ASGI layer around the service.

    The body is read here, counted while it comes; what the service sees fits and is whole.
    Starlette's own limits do not cover bodies that are read at once.
    """

    def __init__(self, app: ASGIApp, *, settings: ServeSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._rate = Rate(settings.per_minute)
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in ROUTES | _DOCS else "other"
        answer = Answer(send=send, headers={} if route in _DOCS else SECURITY)
        began = time.perf_counter()
        await answer.of(self._guarded(scope, receive, answer))
        seconds = time.perf_counter() - began
        self._metrics.request(route, answer.status, seconds)
        line = {
            "route": route,
            "status": answer.status,
            "ms": round(1000 * seconds, 2),
            "request": answer.reference,
        }
        _log.info("%s", json.dumps(line))

    async def _guarded(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        headers = headers_of(scope)
        require_host(headers, self._settings.allowed_hosts, status=400)
        if scope["path"] in OPEN:
            await self._app(scope, receive, answer)
            return
        self._require_caller(scope, headers)
        if self._at_work >= self._settings.at_once:
            raise busy()
        self._at_work += 1
        try:
            await self._answered(scope, receive, answer, headers)
        finally:
            self._at_work -= 1

    async def _answered(
        self, scope: Scope, receive: Receive, answer: Answer, headers: Mapping[str, bytes]
    ) -> None:
        most = self._settings.body_bytes
        require_plain(headers, most_bytes=most)
        body = await read_body(receive, most_bytes=most, seconds=self._settings.body_s)
        if body is None:
            return
        try:
            async with asyncio.timeout(self._settings.answer_s):
                await self._app(scope, again(body, receive), answer)
        except TimeoutError:
            raise busy() from None

    def _require_caller(self, scope: Scope, headers: Mapping[str, bytes]) -> None:
        token = self._settings.token
        knows = token is not None and knows_bearer(headers, token)
        # Whoever guesses tokens is counted too.
        self._rate.require("token" if knows else str((scope.get("client") or ("",))[0]))
        if token is not None and not knows:
            raise Problem(status=401, code="unauthorised", message="a token is needed")
