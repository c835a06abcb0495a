"""Files that were read before: unchanged ones are recognised without reading them."""

from dataclasses import dataclass

# File systems keep time stamps as coarse as two seconds (FAT). A file that was written within
# that time of being read may have changed again without a new time stamp, as in git's index.
_RACY_NS = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class FileStamp:
    """What a file looked like when it was read.

    Parameters
    ----------
    path
        As the study names it: relative paths survive a move of the whole folder.
    seen_at_ns
        Time at which size and mtime were asked for, before the file was read; nanoseconds
        since 1970.
    digest
        SHA-256 of the content.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    seen_at_ns: int
    digest: str

    def matches(self, *, size_bytes: int, mtime_ns: int) -> bool:
        """Tell whether a file that looks like this now surely has the same content."""
        return (
            self.size_bytes == size_bytes
            and self.mtime_ns == mtime_ns
            and self.seen_at_ns - self.mtime_ns >= _RACY_NS
        )
