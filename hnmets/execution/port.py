"""Whether this machine lets us listen, asked before a server makes or says anything."""

import errno
import socket

from hnmets.domain.errors import UsageError

_REASONS = {
    errno.EACCES: "is not yours to take",
    errno.EADDRINUSE: "is taken",
}


def require_free(host: str, port: int) -> None:
    """Refuse a port that is taken, or an address that is not this machine's.

    Parameters
    ----------
    port
        0 is whichever is free.

    Raises
    ------
    UsageError
        If nobody could listen there.
    """
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in places:
            with socket.socket(family, kind, protocol) as probe:
                # As a server does: what lingers of one that has ended is no obstacle.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        if reason := _REASONS.get(error.errno or 0):
            raise UsageError(f"port {port} {reason}").with_note(
                "Choose another one with --port; perhaps the same command runs already."
            ) from None
        raise UsageError(f"'{host}' is no address to listen on: {error.strerror}").with_note(
            "Give an address of this machine with --host, such as 127.0.0.1."
        ) from None
