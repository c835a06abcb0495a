"""How a service listens, and what it refuses."""

from dataclasses import dataclass

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Settings of a service.

    Parameters
    ----------
    token
        What callers have to send as `Authorization: Bearer …`; None asks nobody, and is for
        this machine alone.
    hosts
        Names under which the service may be called; the address that it listens on always.
    body_bytes, rows
        Of one request.
    at_once
        Requests that are worked on; more are told to come again.
    body_s, answer_s
        Seconds in which a request has to arrive, and to be answered.
    reload_s
        Seconds between looks at who is champion.
    per_minute
        Requests of one caller; None for any number. Who sends the token is one caller, everybody
        else is his address.
    digits
        Of the risks that are told; None tells them as they are.
    contributions
        Whether callers without a token are told what a risk stands on.
    docs
        Whether to show the page of the interface: never in production.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    hosts: tuple[str, ...] = ()
    body_bytes: int = 4 * 2**20
    rows: int = 1000
    at_once: int = 16
    body_s: float = 10.0
    answer_s: float = 30.0
    reload_s: float = 5.0
    per_minute: int | None = None
    digits: int | None = None
    contributions: bool = False
    docs: bool = False

    def __post_init__(self) -> None:
        """Check that nobody is served to the network without a token."""
        if self.host not in LOOPBACK and not self.token:
            raise ValueError("a service that others can reach needs a token")
        if min(self.body_bytes, self.rows, self.at_once) < 1:
            raise ValueError("body_bytes, rows and at_once are at least 1")
        if self.per_minute is not None and self.per_minute < 1:
            raise ValueError("per_minute is at least 1")
        if min(self.body_s, self.answer_s, self.reload_s) <= 0:
            raise ValueError("seconds are above 0")

    @property
    def tells_contributions(self) -> bool:
        """Whether whoever gets as far as the model is told what a risk stands on."""
        return self.contributions or self.token is not None

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names that a request may call the service by."""
        own = LOOPBACK if self.host in LOOPBACK else frozenset({self.host})
        return own | frozenset(self.hosts)
