"""Run a service until it is stopped; requests that have begun are answered."""

from collections.abc import Callable
from contextlib import suppress
from socket import socket

import uvicorn
from fastapi import FastAPI

from hnmets.domain.errors import HnmetsError
from hnmets.serving.settings import ServeSettings

_KEEP_ALIVE_S = 5
_GRACE_S = 10


def run_service(app: FastAPI, settings: ServeSettings, *, on_ready: Callable[[str], None]) -> None:
    """Listen, and tell the address; return when the process is told to stop.

    Raises
    ------
    HnmetsError
        If it never listened.
    """
    server = _Server(listening(app, settings), on_ready)
    # Once everybody is answered, uvicorn raises the signal again that ended it.
    with suppress(KeyboardInterrupt, SystemExit):
        server.run()
    if not server.started:
        raise HnmetsError("the service did not start").with_note("The lines above say why.")


def listening(app: FastAPI, settings: ServeSettings) -> uvicorn.Config:
    """Return how to listen."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        # The guard logs, without addresses and paths.
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        # Whoever calls could give himself another address for every request.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=64 * 1024,
    )


class _Server(uvicorn.Server):
    """A server that says when it listens, and where: port 0 takes a free one."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, then tell the address."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
