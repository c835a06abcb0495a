"""What the guard of a tracking server lets through."""

from collections.abc import Mapping
from dataclasses import dataclass

from hnmets.domain.errors import UsageError
from hnmets.domain.secret import read_secret
from hnmets.serving.settings import LOOPBACK

# Names of variables: MLflow starts the guard in processes of its own, which see nothing else.
TOKEN = "HNMETS_TRACKING_TOKEN"  # noqa: S105 - the name of a variable
HOSTS = "HNMETS_TRACKING_HOSTS"
FILE_MIB = "HNMETS_TRACKING_FILE_MIB"
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    """Settings of a guard.

    Parameters
    ----------
    token
        What callers have to send, as a bearer token or as the password of any name.
    hosts
        Names under which the server may be called.
    file_bytes, body_bytes
        Of a file of a run, and of any other request.
    wait_s
        Seconds in which a request has to arrive; of a file, its next part.
    """

    token: str
    hosts: frozenset[str] = LOOPBACK
    file_bytes: int = 48 * 2**20
    body_bytes: int = 4 * 2**20
    wait_s: float = 30.0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "TrackingSettings":
        """Read the variables.

        Raises
        ------
        UsageError
            If there is no token, or one that can be guessed.
        """
        token = read_secret(TOKEN, environ)
        if token is None or len(token) < _SHORTEST_TOKEN:
            raise UsageError(
                f"a tracking server needs a token of {_SHORTEST_TOKEN} characters or more"
            ).with_note(f"export {TOKEN}=…, or name a file by {TOKEN}_FILE")
        names = filter(None, environ.get(HOSTS, "").split(","))
        mib = environ.get(FILE_MIB)
        return cls(
            token=token,
            hosts=LOOPBACK | frozenset(names),
            **({} if mib is None else {"file_bytes": int(mib) * 2**20}),
        )
