"""The DuckDB file: how it is made, opened and asked, and what its errors mean."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from feature_store.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreVersionError,
)
from feature_store.layout import SCHEMA_VERSION, StoreFiles

if TYPE_CHECKING:
    import pyarrow as pa

# Files stay readable for DuckDB 1.5; no query can leave the file or lift that ban.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "v1.5.0",
    "enable_external_access": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
_LEAST_BYTES = 1 << 20  # of a database without rows; it grows by blocks, so no write needs less
_BROKEN = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.SerializationException,
    duckdb.InternalException,
)
_FULL = ("No space left", "File too large", "quota exceeded", "Out of disk space")
_FILE_VERSION = re.compile(r"version number (\d+), but we can only read \D*(?:\d+ and )?(\d+)")


def open_database(files: StoreFiles) -> duckdb.DuckDBPyConnection:
    """Open the database for writing; make it first where there is none.

    Raises
    ------
    StoreCorruptError, StoreVersionError, StoreLockedError, StoreFullError
        See there.
    """
    if not files.database.exists():
        _create(files)
    return _connect(files, read_only=False)


def open_read_only(files: StoreFiles) -> duckdb.DuckDBPyConnection:
    """Open the database so that nothing on the disk changes."""
    return _connect(files, read_only=True)


@cache
def sql(name: str) -> str:
    """Text of one of the statements in `feature_store/sql`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def ask(
    connection: duckdb.DuckDBPyConnection, query: str, /, **parameters: object
) -> list[tuple[Any, ...]]:  # Any: SQL's types are those of the statement
    """Run a query of `feature_store/sql` and return its rows."""
    return connection.execute(sql(query), parameters or None).fetchall()


def ask_arrow(
    connection: duckdb.DuckDBPyConnection, query: str, /, **parameters: object
) -> "pa.Table":
    """Run a query of `feature_store/sql` and return an Arrow table."""
    return connection.sql(sql(query), params=parameters or None).to_arrow_table()


def tell(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    batch: "pa.Table | None" = None,
    /,
    **parameters: object,
) -> None:
    """Run a statement of `feature_store/sql`; its rows come from the table `batch`."""
    if batch is not None:
        connection.register("batch", batch)
    try:
        connection.execute(sql(statement), parameters or None)
    finally:
        if batch is not None:
            connection.unregister("batch")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Do everything inside or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        _roll_back(connection)
        raise
    connection.commit()


@contextmanager
def translated(files: StoreFiles, *, needed_bytes: int = 0) -> Iterator[None]:
    """Turn what DuckDB says about its file into an error that says what to do."""
    try:
        yield
    except duckdb.Error as error:
        # A full disk comes as an error of the file, of the log or of the transaction.
        if isinstance(error, _BROKEN) or any(words in str(error) for words in _FULL):
            raise _store_error(error, files, needed_bytes=needed_bytes) from error
        raise


def to_utc(naive: datetime) -> datetime:
    """Attach the time zone that the database's timestamps are in."""
    return naive.replace(tzinfo=UTC)


def from_utc(moment: datetime) -> datetime:
    """Drop the time zone: the database keeps UTC without naming it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _create(files: StoreFiles) -> None:
    """Make the file under another name, so that a kill leaves no half database."""
    draft = files.database.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with (
        translated(files),
        duckdb.connect(draft, config=_CONFIG) as connection,
    ):
        with transaction(connection):
            connection.execute(sql(f"schema_v{SCHEMA_VERSION}"))
        connection.checkpoint()
    draft.replace(files.database)


def _connect(files: StoreFiles, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(files.database, read_only=read_only, config=_CONFIG)
    except duckdb.Error as error:
        raise _store_error(error, files) from error
    try:
        [(version,)] = ask(connection, "schema_version")
    except (duckdb.Error, ValueError) as error:
        connection.close()
        raise StoreCorruptError(files.database, "it has no schema version") from error
    if version > SCHEMA_VERSION:
        connection.close()
        raise StoreVersionError(files.database, found=version, known=SCHEMA_VERSION)
    return connection


def _store_error(error: duckdb.Error, files: StoreFiles, *, needed_bytes: int = 0) -> StoreError:
    text = str(error)
    if "lock on file" in text:
        holder = re.search(r"PID \d+", text)
        return StoreLockedError(files.folder, holder[0] if holder else "another process")
    if any(words in text for words in _FULL):
        return StoreFullError(files.folder, needed_bytes=max(needed_bytes, _LEAST_BYTES))
    if found := _FILE_VERSION.search(text):
        return StoreVersionError(files.database, found=int(found[1]), known=int(found[2]))
    return StoreCorruptError(files.database, text.splitlines()[0])


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo; after a fatal error DuckDB has already done so and refuses to be asked."""
    try:
        connection.rollback()
    except duckdb.Error:
        return
