"""What stands before MLflow's tracking server: login, names, sizes, and what it must not do.

A bare `mlflow server` 3.17 asks nobody who he is, lets an experiment keep its files in any folder
of the machine, and takes files of any size. Its plug-in point for applications (`mlflow server
--app-name`) lets uvicorn run whatever ASGI application an entry point names, so the guard lies
around all of MLflow's routes, those of FastAPI as well as those of Flask, in MLflow's own process.
A reverse proxy would be a second process with a second set of limits, and would leave the bare
server listening on the machine for whoever finds its port.
"""

import json
import logging
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hnmets.serving.answer import Answer
from hnmets.serving.body import CountedBody, again, read_body, require_plain
from hnmets.serving.caller import (
    headers_of,
    knows_bearer,
    knows_password,
    require_host,
    require_own_origin,
)
from hnmets.serving.problems import Problem
from hnmets.serving.tracking_bodies import check_body
from hnmets.serving.tracking_routes import HEALTH, is_file, require_open
from hnmets.serving.tracking_settings import TrackingSettings

_log = logging.getLogger(__name__)
# A browser asks for name and password; MLflow's client sends them, or the token, by itself.
_CHALLENGE = 'Basic realm="hnmets", charset="UTF-8"'
# MLflow's names, from which its client and ours know whether another try may help.
_MLFLOW_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    408: "TEMPORARILY_UNAVAILABLE",
    500: "INTERNAL_ERROR",
}


class TrackingGuard:
    """An ASGI layer around MLflow's application."""

    def __init__(self, app: ASGIApp, settings: TrackingSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = Answer(send=send, describe=_as_mlflow)
        began = time.perf_counter()
        await answer.of(self._guarded(scope, receive, answer))
        milliseconds = round(1000 * (time.perf_counter() - began), 2)
        line = {"status": answer.status, "ms": milliseconds, "request": answer.reference}
        _log.info("%s", json.dumps(line))

    async def _guarded(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        if scope["path"] == HEALTH:
            await self._app(scope, receive, answer)
            return
        headers = headers_of(scope)
        require_host(headers, self._settings.hosts, status=403)
        self._require_login(headers)
        require_own_origin(headers)
        require_open(scope)
        if is_file(scope):
            await self._with_file(scope, receive, answer, headers)
        else:
            await self._with_document(scope, receive, answer, headers)

    def _require_login(self, headers: Mapping[str, bytes]) -> None:
        token = self._settings.token
        if not (knows_bearer(headers, token) or knows_password(headers, token)):
            message = "log in: any name, and the token as password"
            raise Problem(status=401, code="unauthorised", message=message, challenge=_CHALLENGE)

    async def _with_document(
        self, scope: Scope, receive: Receive, answer: Answer, headers: Mapping[str, bytes]
    ) -> None:
        most = self._settings.body_bytes
        require_plain(headers, most_bytes=most)
        body = await read_body(receive, most_bytes=most, seconds=self._settings.wait_s)
        if body is not None:
            check_body(body, headers.get("content-type", b""))
            await self._app(scope, again(body, receive), answer)

    async def _with_file(
        self, scope: Scope, receive: Receive, answer: Answer, headers: Mapping[str, bytes]
    ) -> None:
        most = self._settings.file_bytes
        require_plain(headers, most_bytes=most)
        body = CountedBody(receive, most_bytes=most, seconds=self._settings.wait_s)

        async def unless_given_up(message: Message) -> None:
            if body.problem is None:
                await answer(message)

        try:
            await self._app(scope, body, unless_given_up)
        finally:
            # However MLflow took it that its caller hung up.
            if body.problem is not None:
                raise body.problem


def _as_mlflow(problem: Problem, reference: str) -> dict[str, object]:
    """Return a problem as MLflow's client reads it."""
    code = _MLFLOW_CODES.get(problem.status, "INVALID_PARAMETER_VALUE")
    return {"error_code": code, "message": problem.message, "reference": reference}
