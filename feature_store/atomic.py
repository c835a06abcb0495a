"""Files that are there whole or not at all."""

import errno
import hashlib
import os
import re
import secrets
import socket
import time
from pathlib import Path

from feature_store.errors import StoreFullError

FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TEMPORARY = re.compile(r"\.tmp-(?P<host>.+)-(?P<pid>\d+)-[0-9a-f]{8}")
_ABANDONED_SECONDS = 24 * 3600


def write_atomic(target: Path, data: bytes | memoryview) -> Path:
    """Write a file so that a reader, or a kill, meets the old content or the new one.

    Raises
    ------
    StoreFullError
        If the disk has no room; the old content stays.
    """
    temporary = target.with_name(f".tmp-{_host()}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _write_synced(temporary, data)
        temporary.replace(target)
    except OSError as error:
        if error.errno in FULL_ERRNOS:
            raise StoreFullError(target.parent, needed_bytes=len(data)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(target.parent)
    return target


def link_or_copy(source: Path, target: Path) -> Path:
    """Have a file a second time, on the same disk without its bytes.

    Whoever replaces `source` by `write_atomic` leaves `target` as it is.

    Raises
    ------
    FileExistsError
        If there is something at `target`.
    """
    try:
        os.link(source.resolve(), target)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one without links
        write_atomic(target, source.read_bytes())
    return target


def write_named(folder: Path, data: bytes | memoryview, suffix: str) -> Path:
    """Write a file under the SHA-256 of its bytes."""
    return write_atomic(folder / f"{hashlib.sha256(data).hexdigest()}{suffix}", data)


def append_synced(target: Path, data: bytes) -> None:
    """Append to a file and wait until it is on the disk."""
    try:
        with target.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in FULL_ERRNOS:
            raise StoreFullError(target.parent, needed_bytes=len(data)) from error
        raise


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove temporary files of writers that were killed.

    Writers on other hosts cannot be asked whether they live; their files go after a day.
    """
    for path in folder.glob(".tmp-*"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and _is_abandoned(path, host=found["host"], pid=int(found["pid"])):
            path.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes | memoryview) -> None:
    # Not tempfile: its files are private (0600), these obey the umask of the group.
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _is_abandoned(path: Path, *, host: str, pid: int) -> bool:
    if host == _host():
        import psutil

        return not psutil.pid_exists(pid)
    return time.time() - path.stat().st_mtime > _ABANDONED_SECONDS


def _host() -> str:
    return re.sub(r"[^\w.]", "_", socket.gethostname())
