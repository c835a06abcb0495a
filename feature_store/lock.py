"""One writer per store."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from feature_store.errors import StoreLockedError
from feature_store.layout import StoreFiles
from feature_store.progress import read_owner, write_owner

_WAIT_SECONDS = 2.0


@contextmanager
def locked(folder: Path, *, since: datetime) -> Iterator[None]:
    """Be the only writer of a store; the folder is created.

    The operating system releases the lock when its holder dies, however it dies.

    Raises
    ------
    StoreLockedError
        If another writer still holds the lock after two seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = StoreFiles(folder)
    lock = FileLock(files.lock)
    try:
        lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout:
        raise StoreLockedError(folder, str(read_owner(folder) or "another process")) from None
    try:
        write_owner(folder, since.isoformat(timespec="seconds"))
        yield
    finally:
        files.owner.unlink(missing_ok=True)
        lock.release()
