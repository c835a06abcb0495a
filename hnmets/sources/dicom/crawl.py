"""Every file below a folder, in whatever layout it was exported."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import InvalidDataError


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file as the folder lists it.

    Parameters
    ----------
    name
        Relative to the folder; it may hold a patient's name and is never written anywhere.
    """

    name: str
    size: int
    changed_ns: int


@dataclass(frozen=True, kw_only=True)
class Crawled:
    """What lies below a folder.

    Parameters
    ----------
    files
        Regular files, by name.
    links
        Symbolic links, which are not followed: they may lead outside or in circles.
    closed
        Folders that could not be listed.
    """

    files: tuple[FoundFile, ...]
    links: int
    closed: int


def crawl(root: Path) -> Crawled:
    """List all files below a folder.

    Raises
    ------
    InvalidDataError
        If there is no such folder.
    """
    if not root.is_dir():
        raise InvalidDataError(f"{root}: no such folder").with_note(
            "Name the folder that the DICOM export was written to."
        )
    files: list[FoundFile] = []
    links = closed = 0
    start = len(str(root).rstrip(os.sep)) + 1
    for entry in _entries(str(root)):
        if entry is None:
            closed += 1
        elif entry.is_symlink():
            links += 1
        elif entry.is_file(follow_symlinks=False):
            stat = entry.stat(follow_symlinks=False)
            name = entry.path[start:]
            files.append(FoundFile(name=name, size=stat.st_size, changed_ns=stat.st_mtime_ns))
    return Crawled(files=tuple(sorted(files, key=lambda f: f.name)), links=links, closed=closed)


def _entries(folder: str) -> Iterator[os.DirEntry[str] | None]:
    """Yield what lies below a folder, None for a folder that cannot be listed."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listing:
                entries = list(listing)
        except OSError:
            yield None
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                yield entry
