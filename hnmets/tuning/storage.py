"""Where trials are remembered: a journal file on one machine, PostgreSQL for several."""

import logging
import os
from pathlib import Path

from filelock import FileLock
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

from hnmets.domain.errors import UsageError

_LOG = logging.getLogger(__name__)
JOURNAL = "journal.log"
_POLL_S = 0.002


def open_storage(url: str, folder: Path, *, workers: int = 1) -> BaseStorage:
    """Open the storage of a search.

    Parameters
    ----------
    url
        Of a PostgreSQL server; empty for the journal in the folder.
    workers
        Processes that write to it.

    Raises
    ------
    UsageError
        If the URL is of another kind, or SQLite is to serve several workers.
    """
    if not url:
        return JournalStorage(_journal(folder))
    kind = url.partition(":")[0]
    if kind == "sqlite" and workers > 1:
        raise UsageError(f"SQLite cannot serve {workers} workers").with_note(
            "They lock each other out and lose trials. Leave [tuning] storage empty for a journal "
            "file on one machine, or name a PostgreSQL server."
        )
    if kind not in {"sqlite", "postgresql", "postgresql+psycopg"}:
        raise UsageError(f"[tuning] storage begins with '{kind}:'").with_note(
            "Leave it empty for a journal file, or write postgresql://user@host/database."
        )
    server = url.replace("postgresql://", "postgresql+psycopg://", 1)
    pings = {"pool_pre_ping": True} if kind != "sqlite" else {}
    return RDBStorage(server, engine_kwargs=pings)


def close_storage(storage: BaseStorage) -> None:
    """Give back the connections to a server."""
    storage.remove_session()
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()


class _KernelLock(BaseJournalFileLock):
    """Lets one process write at a time; the kernel frees it when its holder is killed.

    Optuna's own locks outlive their holder by 30 s, in which no worker can say that it is alive.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(f"{file}.lock", thread_local=False)

    def acquire(self) -> bool:
        self._lock.acquire(poll_interval=_POLL_S)
        try:
            _mend(self._file)
        except BaseException:
            self._lock.release()
            raise
        return True

    def release(self) -> None:
        self._lock.release()


def _journal(folder: Path) -> JournalFileBackend:
    file = folder / JOURNAL
    lock = _KernelLock(file)
    # What reads a torn line stops there, so it goes before anybody reads.
    lock.acquire()
    lock.release()
    return JournalFileBackend(str(file), lock)


def _mend(file: Path) -> None:
    """Set aside a last line that a kill has torn; what is appended to it would be lost with it."""
    if not file.exists() or _ends_whole(file):
        return
    content = file.read_bytes()
    whole = content.rfind(b"\n") + 1
    torn = file.with_name(f"{file.name}.torn-at-{whole}")
    torn.write_bytes(content[whole:])
    with file.open("r+b") as journal:
        journal.truncate(whole)
    _LOG.warning("the last line of %s was torn; it lies in %s now", file.name, torn.name)


def _ends_whole(file: Path) -> bool:
    with file.open("rb") as journal:
        if not journal.seek(0, os.SEEK_END):
            return True
        journal.seek(-1, os.SEEK_END)
        return journal.read(1) == b"\n"
