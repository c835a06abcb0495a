"""What can go wrong between us and a tracking server."""

from typing import ClassVar

from hnmets.domain.errors import HnmetsError


class TrackerUnreachableError(HnmetsError):
    """Nobody answered, or not in time, or with an error of their own: worth another try.

    Parameters
    ----------
    in_doubt
        Whether the server may have begun a run although it never said so.
    """

    what: ClassVar[str] = "does not answer"
    next_step: ClassVar[str] = (
        "Runs are where MLFLOW_TRACKING_URI says, else in `mlflow.db` beside the study file."
    )

    def __init__(self, reason: str, *, in_doubt: bool = False) -> None:
        super().__init__(f"the tracking server {self.what}: {reason}")
        self.in_doubt = in_doubt
        self.add_note(self.next_step)


class TrackerLoginError(TrackerUnreachableError):
    """The server knows nobody by what was sent: worth another try with the right token."""

    what: ClassVar[str] = "does not let us in"
    next_step: ClassVar[str] = (
        "Name the file that holds its token by HNMETS_TRACKING_TOKEN_FILE: see README."
    )


class TrackerRefusedError(HnmetsError):
    """The server understood and said no; asking again changes nothing."""

    exit_code: ClassVar[int] = 3

    def __init__(self, reason: str) -> None:
        super().__init__(f"the tracking server refused: {reason}")


class UnknownRunError(TrackerRefusedError):
    """A run was named that was never started here."""

    def __init__(self, key: str) -> None:
        super().__init__(f"run '{key}' was never started")
