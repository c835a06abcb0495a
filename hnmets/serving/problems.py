"""What a caller is told when something is wrong: a code and a sentence, never what was sent."""

from dataclasses import dataclass


# Not frozen: whoever passes an exception on may have to change where it came from.
@dataclass(kw_only=True, eq=False)
class Problem(Exception):  # noqa: N818 - what HTTP calls it
    """A request that is not answered.

    Parameters
    ----------
    code
        For programs: `too_large`, `invalid_input`.
    retry_s
        Seconds after which another try may help; None where it will not.
    challenge
        How to log in, where the status is 401.
    """

    status: int
    code: str
    message: str
    retry_s: int | None = None
    challenge: str = "Bearer"

    def document(self, reference: str) -> dict[str, object]:
        """Return what is sent.

        Parameters
        ----------
        reference
            Under which the service's log has the request.
        """
        return {"error": {"code": self.code, "message": self.message, "reference": reference}}

    @property
    def headers(self) -> dict[str, str]:
        """Return what stands beside it."""
        found = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        return {**found, "WWW-Authenticate": self.challenge} if self.status == 401 else found


def busy() -> Problem:
    """Say that others are served at the moment."""
    message = "too many requests at once; come again"
    return Problem(status=503, code="busy", message=message, retry_s=1)


def not_ready() -> Problem:
    """Say that no model is there yet."""
    message = "no model is loaded yet; come again"
    return Problem(status=503, code="not_ready", message=message, retry_s=5)


def invalid(message: str, *, code: str = "invalid_input") -> Problem:
    """Say what is wrong with a request."""
    return Problem(status=422, code=code, message=message)


def unexpected() -> Problem:
    """Say that the fault is ours; what it was stands in the log."""
    return Problem(status=500, code="internal", message="the service failed; see its log")
