"""Who calls, and by which name: headers, hosts, origins, secrets."""

import base64
import binascii
import hmac
from collections.abc import Collection, Mapping

from starlette.types import Scope

from hnmets.serving.problems import Problem


def headers_of(scope: Scope) -> dict[str, bytes]:
    """Return the headers by name in lower case."""
    return {name.decode("latin-1").lower(): value for name, value in scope["headers"]}


def require_host(headers: Mapping[str, bytes], names: Collection[str], *, status: int) -> None:
    """Refuse a request under another name: a page could have sent it here by its own DNS.

    Raises
    ------
    Problem
        With that status.
    """
    host = headers.get("host", b"").decode("latin-1")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name.strip("[]") not in names:
        raise Problem(status=status, code="unknown_host", message="the service has another name")


def require_own_origin(headers: Mapping[str, bytes]) -> None:
    """Refuse what a page of elsewhere sends; browsers would add the login of who looks at it.

    Raises
    ------
    Problem
        With status 403.
    """
    origin, host = headers.get("origin"), headers.get("host", b"")
    if origin is not None and origin not in {b"http://" + host, b"https://" + host}:
        raise Problem(status=403, code="foreign_origin", message="a page of elsewhere asks")


def knows_bearer(headers: Mapping[str, bytes], token: str) -> bool:
    """Tell whether a caller sends the token; in the same time for every wrong one."""
    return hmac.compare_digest(headers.get("authorization", b""), f"Bearer {token}".encode())


def knows_password(headers: Mapping[str, bytes], token: str) -> bool:
    """Tell whether a caller logs in with the token as password, under any name (RFC 7617)."""
    kind, _, encoded = headers.get("authorization", b"").partition(b" ")
    if kind.lower() != b"basic":
        return False
    try:
        _, _, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return False
    return hmac.compare_digest(password, token.encode())
