"""Make the database again from the shards, without computing a feature."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from feature_store.database import open_read_only
from feature_store.errors import StoreError
from feature_store.finding import Finding
from feature_store.journal import read_journal, write_journal
from feature_store.layout import StoreFiles
from feature_store.ledger import Ledger
from feature_store.lock import locked
from feature_store.publishing import last_manifest, newest_manifest
from feature_store.snapshot import Snapshot, read_snapshot
from feature_store.store import Clock, FeatureStore, utc_now
from feature_store.verify import damaged_snapshots

_log = logging.getLogger(__name__)


def rebuild(
    folder: Path,
    *,
    clock: Clock = utc_now,
    on_finding: Callable[[Finding], None] = lambda _finding: None,
) -> int:
    """Replace the database by one made from the shards, and publish it.

    The old file stays as `features.duckdb.broken` until the next rebuild. Damaged shards are
    set aside; the next build computes their rows again. What is remembered of input files is
    lost: the next build reads them once.

    Parameters
    ----------
    on_finding
        Is told of every shard that is damaged or gone, and of the rows that went with them.

    Returns
    -------
    int
        Number of rows that count.

    Raises
    ------
    StoreLockedError
        If a build is running.
    """
    files = StoreFiles(folder)
    with locked(folder, since=clock()):
        newest = newest_manifest(files) or last_manifest(files)
        before = _published(folder)
        _keep_order_of_commits(files)
        _move_aside(files)
        for path in damaged_snapshots(files):
            path.unlink()
    # Between the locks another writer may come first: it would open, and so rebuild, the store.
    with FeatureStore.open(folder, clock=clock) as store:
        store.quarantine(newest.quarantined if newest else ())
        store.publish()
        for finding in (*store.findings, *_given_up(before, _published(folder))):
            on_finding(finding)
        return store.n_rows


def _published(folder: Path) -> Snapshot:
    """Return what readers see, or nothing where that is damaged."""
    if damaged_snapshots(StoreFiles(folder)):
        return Snapshot(tables={})
    try:
        return read_snapshot(folder)
    except StoreError as error:
        _log.info("what was published cannot be read: %s", error)
        return Snapshot(tables={})


def _given_up(before: Snapshot, after: Snapshot) -> Iterator[Finding]:
    """Yield what readers saw before and see no more, by recipe."""
    for fingerprint, table in before.tables.items():
        now = after.tables.get(fingerprint)
        lost = sorted(set(table.case_ids) - set(now.case_ids if now else ()))
        if lost:
            yield Finding(
                code="S_ROW",
                what=f"{table.recipe.label} has lost {len(lost)} cases, {lost[0]} first",
                next_step="Import the table again with `hnmets features import`."
                if table.recipe.parameters.get("imported")
                else "Run `hnmets features build`; of patients who left the study they are gone.",
            )


def _keep_order_of_commits(files: StoreFiles) -> None:
    """Write the journal again where it is shorter than the database's own list."""
    if not files.database.exists():
        return
    try:
        with open_read_only(files) as connection:
            commits = Ledger.of(connection).commits
    except (StoreError, duckdb.Error) as error:
        _log.info("the old database tells nothing about the order of commits: %s", error)
        return
    if len(commits) > len(read_journal(files.journal)):
        write_journal(files.journal, commits)


def _move_aside(files: StoreFiles) -> None:
    """Move the log first: a kill in between leaves an older database, and no wrong one."""
    for path in (files.write_ahead_log, files.database):
        aside = path.with_name(path.name.replace("duckdb", "duckdb.broken"))
        aside.unlink(missing_ok=True)
        if path.exists():
            path.replace(aside)
