"""The order of commits, kept outside the database so that it can be made again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from feature_store.atomic import append_synced, write_atomic


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One transaction of the store.

    Parameters
    ----------
    at
        When its rows began to count; UTC.
    shards
        Names of the shards, in the order in which they were applied.
    """

    number: int
    at: datetime
    shards: tuple[str, ...]


def read_journal(path: Path) -> list[Commit]:
    """Return the commits that can be read; a line torn by a kill is none."""
    if not path.exists():
        return []
    commits = [_parsed(line) for line in path.read_text(errors="replace").splitlines()]
    return [commit for commit in commits if commit is not None]


def append_journal(path: Path, commit: Commit) -> None:
    """Add one commit."""
    append_synced(path, _line(commit).encode())


def write_journal(path: Path, commits: Sequence[Commit]) -> None:
    """Replace the journal."""
    write_atomic(path, "".join(map(_line, commits)).encode())


def _line(commit: Commit) -> str:
    content = {
        "commit": commit.number,
        "at": commit.at.isoformat(timespec="microseconds"),
        "shards": list(commit.shards),
    }
    return json.dumps(content) + "\n"


def _parsed(line: str) -> Commit | None:
    try:
        content = json.loads(line)
        return Commit(
            number=int(content["commit"]),
            at=datetime.fromisoformat(content["at"]),
            shards=tuple(map(str, content["shards"])),
        )
    except (ValueError, TypeError, KeyError):
        return None
