"""The one writer of a store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb

from feature_store.atomic import sweep
from feature_store.current import combined_hash
from feature_store.database import (
    ask,
    from_utc,
    open_database,
    tell,
    to_utc,
    transaction,
    translated,
)
from feature_store.file_stamp import FileStamp
from feature_store.finding import Finding
from feature_store.journal import Commit, append_journal
from feature_store.layout import StoreFiles
from feature_store.ledger import Ledger
from feature_store.lock import locked
from feature_store.manifest import Manifest
from feature_store.plain import escaped
from feature_store.publishing import Publisher, last_sequence
from feature_store.quarantine import Quarantined
from feature_store.recipe import Recipe
from feature_store.recovery import catch_up, next_commit, sound_shards
from feature_store.shard import Shard
from feature_store.snapshot import Snapshot
from feature_store.stored_rows import stored_table
from feature_store.views import create_wide_views

if TYPE_CHECKING:
    import pyarrow as pa

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(tz=UTC)


class FeatureStore:
    """Commits shards, remembers files and problems, publishes snapshots.

    Use it as a context manager, from one thread. Readers use `read_snapshot`.

    Examples
    --------
    >>> import tempfile
    >>> with FeatureStore.open(Path(tempfile.mkdtemp())) as store:
    ...     len(store.known())
    0
    """

    def __init__(
        self, files: StoreFiles, connection: duckdb.DuckDBPyConnection, *, clock: Clock
    ) -> None:
        self._files = files
        self._connection = connection
        self._clock = clock
        self._resources = ExitStack()
        self._findings: list[Finding] = []
        self._read_ledger: Ledger | None = None

    @classmethod
    def open(cls, folder: Path, *, clock: Clock = utc_now) -> Self:
        """Become the writer of a store; make it where there is none.

        What a killed build left behind is committed first; damaged shards are set aside and
        named in `findings`.

        Raises
        ------
        StoreLockedError
            If another process writes to it.
        StoreCorruptError, StoreVersionError, StoreFullError
            See there.
        """
        files = StoreFiles(folder)
        with ExitStack() as resources:
            resources.enter_context(locked(folder, since=clock()))
            files.shards.mkdir(exist_ok=True)
            for place in (folder, files.shards):
                sweep(place)
            connection = open_database(files)
            resources.callback(connection.close)
            with translated(files, needed_bytes=_waiting_bytes(files)):
                store = cls(files, connection, clock=clock)
                store._findings = catch_up(files, store._ledger, next_moment=store._next_moment)
            store._resources = resources.pop_all()
        return store

    def close(self) -> None:
        """Release the store."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found wrong since the store was opened."""
        return tuple(self._findings)

    def commit(self, shards: Sequence[Path]) -> int:
        """Append the rows of a batch of shards in one transaction.

        Rows that count already are passed over; a row from another input replaces all rows of
        its case under that recipe.

        Returns
        -------
        int
            Number of rows that were new.

        Raises
        ------
        StoreFullError
            If the disk has no room. Nothing of the batch is committed; its shards stay and are
            adopted when the store is opened next.
        """
        sound = sound_shards(self._files, shards, self._findings)
        if self._counts_already(sound):
            return 0
        commit = next_commit(self._ledger, sound, at=self._next_moment())
        with translated(self._files, needed_bytes=sum(shard.table.nbytes for shard in sound)):
            try:
                n_new = self._ledger.commit(sound, commit)
            except BaseException:
                self._read_ledger = None
                raise
        append_journal(self._files.journal, commit)
        return n_new

    def known(self) -> Mapping[tuple[str, str], str]:
        """Return the current input digest by (case_id, fingerprint)."""
        digests = self._ledger.current.digests
        return {(case_id, fingerprint): d for (fingerprint, case_id), d in digests.items()}

    def remember_files(self, stamps: Iterable[FileStamp]) -> None:
        """Record what files looked like when they were read; replaces older records."""
        newest = {stamp.path: stamp for stamp in stamps}
        batch = _batch([asdict(stamp) for stamp in newest.values()])
        if batch is not None:
            self._replace("forget_files", "insert_files", batch)

    def files(self) -> Mapping[str, FileStamp]:
        """Return what is remembered of files, by path."""
        names = ("path", "size_bytes", "mtime_ns", "seen_at_ns", "digest")
        stamps = [FileStamp(**dict(zip(names, row, strict=True))) for row in self._ask("files")]
        return {stamp.path: stamp for stamp in stamps}

    def quarantine(self, entries: Iterable[Quarantined]) -> None:
        """Record the current problems of cases, in place of those recorded before.

        Control characters are written out: the texts come from files and end in terminals.
        """
        batch = _batch([self._record(entry) for entry in entries])
        if batch is not None:
            self._replace("release_cases", "insert_quarantined", batch)

    def release(self, case_ids: Iterable[str]) -> None:
        """Forget the problems of cases that went well."""
        batch = _batch([{"case_id": case_id} for case_id in case_ids])
        if batch is not None:
            with translated(self._files), transaction(self._connection):
                tell(self._connection, "release_cases", batch)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Return the current problems."""
        return tuple(
            Quarantined(case_id=case_id, code=code, stage=stage, detail=detail, at=to_utc(at))
            for case_id, code, stage, detail, at in self._ask("quarantined")
        )

    def history(self) -> tuple[Commit, ...]:
        """Return all commits, oldest first."""
        return tuple(self._ledger.commits)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Everything that the store has ever had rows of, by name."""
        return tuple(self._recipes())

    @property
    def n_rows(self) -> int:
        """Number of rows that count."""
        return sum(map(len, self._ledger.current.parts.values()))

    def content_hash(self) -> str:
        """Hash over all rows that count, independent of the order and the time of commits."""
        return combined_hash(self._ledger.current.content_by_recipe())

    def as_of(self, moment: datetime) -> Snapshot:
        """Return the rows that counted at a moment of the past."""
        with translated(self._files):
            tables = {
                recipe.fingerprint: stored_table(self._connection, recipe, from_utc(moment))
                for recipe in self._recipes()
            }
        return Snapshot(tables={f: table for f, table in tables.items() if table.case_ids})

    def publish(self) -> Path:
        """Let readers see what was committed; nothing happens where nothing has changed.

        Returns
        -------
        Path
            Manifest of the generation that readers see now.
        """
        publisher = Publisher(
            files=self._files, load=lambda recipe: stored_table(self._connection, recipe)
        )
        content = self._ledger.current.content_by_recipe()
        with translated(self._files):
            manifest = Manifest(
                sequence=last_sequence(self._files) + 1,
                published_at=self._clock(),
                commit=self._ledger.commits[-1].number if self._ledger.commits else 0,
                content_hash=combined_hash(content),
                recipes=publisher.recipe_files(self._recipes(), content),
                quarantined=self.quarantined(),
            )
        return publisher.flip(manifest)

    def create_views(self) -> tuple[str, ...]:
        """Make one wide view per recipe, for people who look at the file with DuckDB itself."""
        with translated(self._files):
            return create_wide_views(self._connection, self._recipes())

    @property
    def _ledger(self) -> Ledger:
        """What the database holds; read again after a commit that failed."""
        if self._read_ledger is None:
            with translated(self._files):
                self._read_ledger = Ledger.of(self._connection)
        return self._read_ledger

    def _recipes(self) -> list[Recipe]:
        recipes = self._ledger.recipes.values()
        return sorted(recipes, key=lambda recipe: (recipe.name, recipe.fingerprint))

    def _counts_already(self, shards: Iterable[Shard]) -> bool:
        committed = {name for commit in self._ledger.commits for name in commit.shards}
        return all(
            shard.name in committed and all(map(self._ledger.current.has, shard.keys))
            for shard in shards
        )

    def _next_moment(self) -> datetime:
        """Time of the next commit: later than the last one, even if the clock was set back."""
        now = self._clock().astimezone(UTC)
        if not self._ledger.commits:
            return now
        return max(now, self._ledger.commits[-1].at + timedelta(microseconds=1))

    def _record(self, entry: Quarantined) -> dict[str, object]:
        at = from_utc(entry.at or self._clock())
        texts = {
            name: escaped(getattr(entry, name)) for name in ("case_id", "code", "stage", "detail")
        }
        return texts | {"noted_at": at}

    def _ask(self, query: str) -> list[tuple[Any, ...]]:  # Any: SQL's types are the statement's
        with translated(self._files):
            return ask(self._connection, query)

    def _replace(self, forget: str, insert: str, batch: "pa.Table") -> None:
        with translated(self._files, needed_bytes=batch.nbytes), transaction(self._connection):
            tell(self._connection, forget, batch)
            tell(self._connection, insert, batch)


def _waiting_bytes(files: StoreFiles) -> int:
    """Size of what opening the store may have to move into the database."""
    log = files.write_ahead_log
    newest = max((path.stat().st_size for path in files.shards.glob("*.parquet")), default=0)
    return newest + (log.stat().st_size if log.exists() else 0)


def _batch(rows: list[dict[str, object]]) -> "pa.Table | None":
    import pyarrow as pa

    return pa.Table.from_pylist(rows) if rows else None
