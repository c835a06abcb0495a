"""Check a store's files against each other; nothing is changed."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from feature_store.current import Current, Key, combined_hash
from feature_store.database import open_read_only
from feature_store.errors import NothingPublishedError, StoreError
from feature_store.finding import Finding
from feature_store.journal import read_journal
from feature_store.layout import StoreFiles
from feature_store.ledger import Ledger
from feature_store.lock import locked
from feature_store.plain import escaped
from feature_store.recipe import Recipe
from feature_store.row_content import content_of
from feature_store.shard import read_shard
from feature_store.snapshot import Snapshot, read_snapshot
from feature_store.stored_rows import stored_table

_REBUILD = "Run `hnmets features rebuild`."
_BUILD = "Run `hnmets features build`."
_RESTORE = "Restore the file, or run `hnmets features rebuild`: it says which rows are lost."


def verify(folder: Path) -> list[Finding]:
    """Check database, shards, journal and snapshots of a store against each other.

    Raises
    ------
    StoreLockedError
        If a build is running: what it writes cannot be checked meanwhile.
    """
    files = StoreFiles(folder)
    if not (files.database.exists() or files.shards.exists()):
        raise NothingPublishedError(folder)
    with locked(folder, since=datetime.now(tz=UTC)):
        keys, findings = _read_shards(files)
        try:
            connection = open_read_only(files)
        except StoreError as error:
            return [*findings, _finding("S_DATABASE", error, _REBUILD)]
        with connection:
            ledger, found = _check_database(files, connection, keys)
        return [*findings, *found, *_check_snapshots(files, ledger)]


def content_hash(source: Path | Snapshot) -> str:
    """Hash over all rows that readers see, independent of the order and time of commits."""
    snapshot = read_snapshot(source) if isinstance(source, Path) else source
    return snapshot.content_hash


def _read_shards(files: StoreFiles) -> tuple[dict[str, list[Key]], list[Finding]]:
    """Return the keys of the rows of each sound shard, by the shard's name."""
    keys, findings = {}, []
    for path in sorted(files.shards.glob("*.parquet")):
        try:
            keys[path.stem] = read_shard(path).keys
        except StoreError as error:
            findings.append(_finding("S_SHARD", error, f"{_REBUILD} {_BUILD}"))
    findings += [
        _finding("S_SET_ASIDE", f"{path} was found damaged", f"{_BUILD} Then delete the file.")
        for path in sorted(files.set_aside.glob("*.parquet"))
    ]
    return keys, findings


def _check_database(
    files: StoreFiles, connection: duckdb.DuckDBPyConnection, keys: Mapping[str, list[Key]]
) -> tuple[Ledger | None, list[Finding]]:
    try:
        ledger = Ledger.of(connection)
        findings = [
            *_check_commits(files, ledger, keys),
            *(f for recipe in ledger.recipes.values() for f in _check_rows(connection, recipe)),
        ]
    except (duckdb.Error, StoreError, ValueError, TypeError, KeyError) as error:
        # A damaged block can come out as anything that is not a row.
        return None, [_finding("S_DATABASE", f"{files.database.name}: {error}", _REBUILD)]
    return ledger, findings


def _check_commits(
    files: StoreFiles, ledger: Ledger, keys: Mapping[str, list[Key]]
) -> Iterator[Finding]:
    committed = [name for commit in ledger.commits for name in commit.shards]
    for name in sorted(set(committed) - keys.keys()):
        if not (files.shards / f"{name}.parquet").exists():
            yield _finding("S_SHARD_MISSING", f"shard {name} is gone", _RESTORE)
    if orphans := keys.keys() - set(committed):
        yield _finding("S_ORPHAN", f"{len(orphans)} shards wait for their commit", _BUILD)
    if read_journal(files.journal) != ledger.commits:
        yield _finding("S_JOURNAL", f"{files.journal.name} lacks commits", _BUILD)
    if set(committed) <= keys.keys():
        promised = Current.of(key for name in committed for key in keys[name]).rows()
        if differing := set(promised) ^ set(ledger.current.rows()):
            case_id = min(key[1] for key in differing)
            what = f"{len(differing)} rows differ from the shards, first of case {case_id}"
            yield _finding("S_ROW", what, _REBUILD)


def _check_rows(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> Iterator[Finding]:
    """Hash the values again that the database returns."""
    table = stored_table(connection, recipe)
    for position, (_, case_id, _, _, promised) in enumerate(table.keys):
        if content_of(table.row(position), recipe).content_hash != promised:
            what = f"case {case_id}: the values of {recipe.label} have changed"
            yield _finding("S_ROW", what, _REBUILD)


def _check_snapshots(files: StoreFiles, ledger: Ledger | None) -> list[Finding]:
    findings = [
        _finding("S_SNAPSHOT", f"{path.name} does not have the hash in its name", _REBUILD)
        for path in damaged_snapshots(files)
    ]
    try:
        shown = read_snapshot(files.folder).content_hash
    except NothingPublishedError:
        shown = combined_hash({})
    except StoreError as error:
        return [*findings, _finding("S_SNAPSHOT", error, _REBUILD)]
    if ledger and shown != combined_hash(ledger.current.content_by_recipe()):
        findings.append(_finding("S_BEHIND", "readers do not see the last commits yet", _BUILD))
    return findings


def damaged_snapshots(files: StoreFiles) -> list[Path]:
    """Return published files whose bytes do not have the hash in their name."""
    paths = (path for ending in ("*.arrow", "*.json") for path in files.snapshots.glob(ending))
    return [
        path
        for path in sorted(paths)
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem
    ]


def _finding(code: str, what: object, next_step: str) -> Finding:
    return Finding(code=code, what=escaped(str(what)), next_step=next_step)
