"""What the workflows ask of a tracker: runs, numbers and files; plain data in and out."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite
from pathlib import PurePosixPath
from typing import Protocol

# What MLflow takes in a name; a longer or stranger one would be refused when it is too late.
_NAME = re.compile(r"[\w. -]+(/[\w. -]+)*")
_LONGEST_NAME = 250
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Status(StrEnum):
    """How a run ended."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number, or one point of a curve.

    Parameters
    ----------
    step
        Position on the curve: an epoch, a count of features; 0 for a number of its own.

    Raises
    ------
    ValueError
        If the value is not finite: what cannot be estimated is not logged as a number.
    """

    name: str
    value: float
    step: int = 0

    def __post_init__(self) -> None:
        _require_name(self.name)
        if not isfinite(self.value):
            raise ValueError(f"metric '{self.name}' is {self.value}")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What a run was computed from.

    Parameters
    ----------
    name
        The feature view.
    digest
        Of the rows, at most 36 characters: equal data, equal digest.
    description
        JSON object: recipes, hashes, counts.
    """

    name: str
    digest: str
    description: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run that begins.

    Parameters
    ----------
    experiment
        Runs of one experiment stand in one table.
    at
        When it began; with a time zone.
    key
        Identity: a run that is started twice under one key is one run.
    parent
        Key of the run that this one is part of.
    """

    experiment: str
    name: str
    at: datetime
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    parent: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    dataset: Dataset | None = None

    def __post_init__(self) -> None:
        for key in (self.key, self.parent or self.key):
            if not _KEY.fullmatch(key):
                raise ValueError(f"'{key}' is no key of a run")
        for name in (*self.tags, *self.params):
            _require_name(name)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of a run.

    Parameters
    ----------
    name
        Relative, with `/` between folders: `figures/roc.svg`.
    """

    name: str
    content: bytes

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if path.is_absolute() or ".." in path.parts or str(path) != self.name:
            raise ValueError(f"'{self.name}' is no name of an artifact")
        _require_name(self.name)

    @classmethod
    def text(cls, name: str, text: str) -> "Artifact":
        """Return a text file."""
        return cls(name=name, content=text.encode())

    @classmethod
    def json(cls, name: str, document: object) -> "Artifact":
        """Return a JSON document."""
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        return cls(name=name, content=f"{text}\n".encode())


class Tracker(Protocol):
    """Remembers runs; saying the same thing twice is the same as saying it once.

    All of them raise `TrackerUnreachableError` where another try may help, and
    `TrackerRefusedError` where it will not.
    """

    def start(self, run: NewRun) -> str:
        """Begin a run and return its key, by which the other calls name it."""
        ...

    def log_metrics(self, key: str, metrics: Sequence[Metric], *, at: datetime) -> None:
        """Write numbers and curves of a run, all at once: one call per run is the right number."""
        ...

    def log_artifact(self, key: str, artifact: Artifact) -> None:
        """Keep a file with a run; one of the same name is replaced."""
        ...

    def end(self, key: str, status: Status, *, at: datetime) -> None:
        """Close a run."""
        ...


def _require_name(name: str) -> None:
    # MLflow reads names as paths.
    parts = name.split("/")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name) or {".", ".."} & set(parts):
        raise ValueError(f"'{name}' is no name for a metric, parameter, tag or artifact")
