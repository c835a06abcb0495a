"""Bodies of requests, counted while they come: a length that is told is not believed."""

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from hnmets.serving.problems import Problem, invalid


async def read_body(receive: Receive, *, most_bytes: int, seconds: float) -> bytes | None:
    """Read a body, however it comes; None where the caller has gone.

    Raises
    ------
    Problem
        If it is too large, or does not arrive in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, most_bytes)
    except TimeoutError:
        raise _too_slow() from None


def again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more, and then what the caller does."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


class CountedBody:
    """A body that is passed on while it comes, up to a size.

    The application is told that its caller hung up, and cleans up as it then does; what to
    answer stands in `problem`.

    Parameters
    ----------
    seconds
        Between two parts.
    """

    def __init__(self, receive: Receive, *, most_bytes: int, seconds: float) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._size = 0
        self._whole = False
        self.problem: Problem | None = None

    async def __call__(self) -> Message:
        """Return the next message of the caller."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            return self._given_up(_too_slow())
        self._size += len(message.get("body", b""))
        if self._size > self._most_bytes:
            return self._given_up(_too_large(self._most_bytes))
        self._whole = not message.get("more_body", False)
        return message

    def _given_up(self, problem: Problem) -> Message:
        self.problem = problem
        return {"type": "http.disconnect"}


def require_plain(headers: Mapping[str, bytes], *, most_bytes: int) -> None:
    """Refuse a body by what is said of it: compressed, or too large.

    Raises
    ------
    Problem
        With status 415, 413, or 422 where the length is no number.
    """
    if headers.get("content-encoding", b"identity") != b"identity":
        raise Problem(status=415, code="encoded", message="the body has to come uncompressed")
    length = headers.get("content-length")
    if length is None:
        return
    if not length.isdigit():
        raise invalid("Content-Length is no number")
    if int(length) > most_bytes:
        raise _too_large(most_bytes)


async def _read(receive: Receive, most_bytes: int) -> bytes | None:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > most_bytes:
            raise _too_large(most_bytes)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(most_bytes: int) -> Problem:
    message = f"a body of this kind has at most {most_bytes} bytes here"
    return Problem(status=413, code="too_large", message=message)


def _too_slow() -> Problem:
    return Problem(status=408, code="too_slow", message="the request did not arrive in time")
