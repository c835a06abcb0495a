"""Cases that could not be measured, and why."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """One current problem of one case.

    Parameters
    ----------
    code
        The problem's code; what it means is for the caller to know.
    stage
        What was being done: reading, a recipe's name, …
    detail
        What was met.
    at
        When; the store fills it in.
    """

    case_id: str
    code: str
    stage: str
    detail: str
    at: datetime | None = None
