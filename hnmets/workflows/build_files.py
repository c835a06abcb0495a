"""The files of a cohort, and which of them are surely unchanged since they were read."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from feature_store.file_stamp import FileStamp
from hnmets.domain.case import Case


@dataclass(frozen=True, kw_only=True)
class Stat:
    """What a file looked like before it was read."""

    size_bytes: int
    mtime_ns: int
    seen_at_ns: int


@dataclass(frozen=True, kw_only=True)
class FileBook:
    """Sizes and times of the cohort's files, taken before anything is read.

    Parameters
    ----------
    root
        Data folder: files are named relative to it, so that it may move.
    stats
        By path; files that are gone are absent.
    """

    root: Path
    stats: Mapping[str, Stat]

    @classmethod
    def of(cls, cases: Iterable[Case], *, root: Path) -> "FileBook":
        """Ask for size and time of every file of the cases."""
        files = {str(file): file for case in cases for file in case.files}
        now = time.time_ns()
        stats = {}
        for name, file in files.items():
            try:
                found = file.stat()
            except FileNotFoundError:
                continue  # reading the case says so, with the case's name
            stats[name] = Stat(
                size_bytes=found.st_size, mtime_ns=found.st_mtime_ns, seen_at_ns=now
            )
        return cls(root=root, stats=stats)

    def trusted(self, stamps: Mapping[str, FileStamp]) -> dict[str, str]:
        """Return the digest by path of every file that looks as it did when it was read."""
        trusted = {}
        for path, stat in self.stats.items():
            stamp = stamps.get(self._name(path))
            if stamp and stamp.matches(size_bytes=stat.size_bytes, mtime_ns=stat.mtime_ns):
                trusted[path] = stamp.digest
        return trusted

    def recorded(self, stamps: Mapping[str, FileStamp]) -> dict[str, str]:
        """Return the digest by path that each file had when it was last read."""
        names = {path: self._name(path) for path in self.stats}
        return {path: stamps[name].digest for path, name in names.items() if name in stamps}

    def stamps(self, digests: Mapping[str, str]) -> list[FileStamp]:
        """Return what to remember of files that were read."""
        return [
            FileStamp(
                path=self._name(path),
                size_bytes=self.stats[path].size_bytes,
                mtime_ns=self.stats[path].mtime_ns,
                seen_at_ns=self.stats[path].seen_at_ns,
                digest=digest,
            )
            for path, digest in digests.items()
            if path in self.stats
        ]

    def _name(self, path: str) -> str:
        return os.path.relpath(path, self.root)
