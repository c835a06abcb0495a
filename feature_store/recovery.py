"""Bring a database up to what the shards and the journal say, after a kill or a loss."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from feature_store.errors import StoreCorruptError
from feature_store.finding import Finding
from feature_store.journal import Commit, read_journal, write_journal
from feature_store.layout import StoreFiles
from feature_store.ledger import Ledger
from feature_store.shard import Shard, read_shard

_ADOPTED_TOGETHER = 32
_log = logging.getLogger(__name__)


def catch_up(
    files: StoreFiles, ledger: Ledger, *, next_moment: Callable[[], datetime]
) -> list[Finding]:
    """Replay commits that the database has lost, then adopt shards that nobody committed.

    A database that is new, or older than the journal, goes through every commit again at its
    old time, without the shards that are lost; shards of a build that was killed before its
    commit come last. Either way no feature is computed again.
    """
    findings = _lost(files, ledger)
    last = ledger.commits[-1].number if ledger.commits else 0
    for commit in read_journal(files.journal):
        if commit.number > last:
            shards = _replayed(files, commit, findings)
            # A name without its shard would stand there for ever: nobody can fill it again.
            names = tuple(shard.name for shard in shards)
            ledger.commit(shards, replace(commit, shards=names))
    for paths in _orphans(files, ledger):
        shards = sound_shards(files, paths, findings)
        if shards:
            ledger.commit(shards, next_commit(ledger, shards, at=next_moment()))
    if read_journal(files.journal) != ledger.commits:
        write_journal(files.journal, ledger.commits)
    return findings


def next_commit(ledger: Ledger, shards: Iterable[Shard], *, at: datetime) -> Commit:
    """Give the next commit its number."""
    number = ledger.commits[-1].number + 1 if ledger.commits else 1
    return Commit(number=number, at=at, shards=tuple(shard.name for shard in shards))


def sound_shards(files: StoreFiles, paths: Iterable[Path], findings: list[Finding]) -> list[Shard]:
    """Read shards; damaged ones are set aside and reported, never committed."""
    shards = []
    for path in paths:
        try:
            shards.append(read_shard(path))
        except StoreCorruptError as error:
            files.set_aside.mkdir(exist_ok=True)
            path.replace(files.set_aside / path.name)
            finding = Finding(
                code="S_SET_ASIDE",
                what=f"{error}; moved to {files.set_aside.name}/",
                next_step="Run `hnmets features build`: it computes the lost rows again.",
            )
            _log.warning("%s", finding)
            findings.append(finding)
    return shards


def _lost(files: StoreFiles, ledger: Ledger) -> list[Finding]:
    """Name committed shards that are gone; the database still has their rows."""
    there = {path.stem for path in files.shards.glob("*.parquet")}
    return [
        Finding(
            code="S_SHARD_MISSING",
            what=f"shard {name}.parquet of commit {commit.number} is gone",
            next_step="Restore the file; without it `rebuild` would lose its rows.",
        )
        for commit in ledger.commits
        for name in commit.shards
        if name not in there
    ]


def _replayed(files: StoreFiles, commit: Commit, findings: list[Finding]) -> list[Shard]:
    paths = [files.shards / f"{name}.parquet" for name in commit.shards]
    for path in paths:
        if not path.exists():
            finding = Finding(
                code="S_SHARD_MISSING",
                what=f"{path.name} of commit {commit.number} is gone; the commit goes without",
                next_step="Run `hnmets features build`: it computes what it can again.",
            )
            _log.warning("%s", finding)
            findings.append(finding)
    return sound_shards(files, (path for path in paths if path.exists()), findings)


def _orphans(files: StoreFiles, ledger: Ledger) -> list[Sequence[Path]]:
    """Shards that no commit names, oldest first, in batches that fit into memory."""
    committed = {name for commit in ledger.commits for name in commit.shards}
    orphans = [path for path in files.shards.glob("*.parquet") if path.stem not in committed]
    orphans.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
    return [
        orphans[start : start + _ADOPTED_TOGETHER]
        for start in range(0, len(orphans), _ADOPTED_TOGETHER)
    ]
