"""What happens in a run, as values that a line of JSON can hold."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, assert_never

from pydantic import Field, TypeAdapter

from hnmets.tracking.base import Artifact, Metric, NewRun, Status, Tracker


@dataclass(frozen=True, kw_only=True)
class Started:
    """A run began."""

    run: NewRun
    kind: Literal["started"] = "started"

    @property
    def key(self) -> str:
        """Key of the run."""
        return self.run.key


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Numbers of a run were written."""

    key: str
    metrics: tuple[Metric, ...]
    at: datetime
    kind: Literal["measured"] = "measured"


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file was kept; its content lies beside the events under its digest."""

    key: str
    name: str
    digest: str
    kind: Literal["attached"] = "attached"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run was closed."""

    key: str
    status: Status
    at: datetime
    kind: Literal["ended"] = "ended"


Event = Started | Measured | Attached | Ended

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def as_line(event: Event) -> bytes:
    """Return the event as one line of JSON."""
    return _EVENT.dump_json(event) + b"\n"


def from_line(line: bytes) -> Event:
    """Return the event of a line.

    Raises
    ------
    ValueError
        If the line is none, such as one torn by a kill.
    """
    return _EVENT.validate_json(line)


def tell(event: Event, tracker: Tracker, content: Callable[[str], bytes]) -> None:
    """Say to a tracker what happened.

    Parameters
    ----------
    content
        Returns the bytes of a digest.
    """
    match event:
        case Started(run=run):
            tracker.start(run)
        case Measured(key=key, metrics=metrics, at=at):
            tracker.log_metrics(key, metrics, at=at)
        case Attached(key=key, name=name, digest=digest):
            tracker.log_artifact(key, Artifact(name=name, content=content(digest)))
        case Ended(key=key, status=status, at=at):
            tracker.end(key, status, at=at)
        case _:
            assert_never(event)
