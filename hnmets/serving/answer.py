"""What goes back to a caller: an application's answer with our headers, or a problem."""

import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import Message, Send

from hnmets.serving.problems import Problem, unexpected

_log = logging.getLogger(__name__)
# For answers that no page is made of.
SECURITY: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(kw_only=True)
class Answer:
    """How a request is answered.

    Parameters
    ----------
    headers
        That the application's answers get.
    describe
        Makes a problem and the reference into the document that is sent.
    reference
        Under which the log has it.
    status
        Of what was sent; 0 as long as nothing was.
    """

    send: Send
    headers: Mapping[str, str] = field(default_factory=dict)
    describe: Callable[[Problem, str], dict[str, object]] = Problem.document
    reference: str = field(default_factory=lambda: secrets.token_hex(8))
    status: int = 0

    async def of(self, work: Awaitable[None]) -> None:
        """Have a request worked on; what goes wrong is answered, and nothing of it is told."""
        try:
            await work
        except Problem as problem:
            await self.problem(problem)
        except Exception as error:
            _log.error("request %s: %s", self.reference, type(error).__name__)
            await self.problem(unexpected())

    async def __call__(self, message: Message) -> None:
        """Pass a message on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            extra = {"X-Request-Id": self.reference, **self.headers}
            message["headers"] = [*message["headers"], *_encoded(extra)]
        await self.send(message)

    async def problem(self, problem: Problem) -> None:
        """Answer with a problem, unless the answer has begun."""
        if self.status:
            return
        self.headers = SECURITY
        content = json.dumps(self.describe(problem, self.reference)).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        start = {"type": "http.response.start", "status": problem.status}
        await self({**start, "headers": _encoded({**headers, **problem.headers})})
        await self.send({"type": "http.response.body", "body": content})


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
