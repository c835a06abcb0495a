"""The bytes of a NIfTI file: read once, hashed, inflated and checked on the way."""

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hnmets.domain.errors import CaseError, Code

_CHUNK_BYTES = 1 << 18
_GZIP_MAGIC = b"\x1f\x8b"
# zlib.MAX_WBITS + 16 reads the gzip wrapper and checks its CRC and length.
_GZIP_WINDOW = 31


class NiftiBytes:
    """A forward reader that refuses what is cut, damaged or longer than it should be.

    Parameters
    ----------
    file
        Opened at its first byte.
    gzipped
        Whether the name promises gzip; a file that breaks the promise is refused.
    """

    def __init__(self, file: BinaryIO, *, gzipped: bool) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._pending = self._next_chunk()
        self._inflater = zlib.decompressobj(_GZIP_WINDOW) if gzipped else None
        if self._pending.startswith(_GZIP_MAGIC) != gzipped:
            kind = "not gzip although its name ends in .gz" if gzipped else "gzip named .nii"
            raise CaseError(Code.IMAGE_CORRUPT, f"the file is {kind}")

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes; whole once `finish` has returned."""
        return self._hash.hexdigest()

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises
        ------
        CaseError
            If the file ends before, or its compressed stream is damaged.
        """
        taken = bytearray(size)
        self.fill(memoryview(taken))
        return bytes(taken)

    def skip(self, size: int) -> None:
        """Pass over bytes that nobody needs, without holding them."""
        while size > 0:
            size -= len(self.take(min(size, _CHUNK_BYTES)))

    def fill(self, target: memoryview) -> None:
        """Fill the target with the next bytes.

        Raises
        ------
        CaseError
            As `take`.
        """
        filled = 0
        while filled < len(target):
            piece = self._some(len(target) - filled)
            if not piece:
                raise CaseError(
                    Code.IMAGE_CORRUPT,
                    f"the file is cut: {len(target) - filled} of {len(target)} bytes are missing",
                )
            target[filled : filled + len(piece)] = piece
            filled += len(piece)

    def finish(self) -> None:
        """Check that the content ends here, undamaged.

        Raises
        ------
        CaseError
            If more follows, or the checksum at the end does not fit.
        """
        if self._some(1):
            raise CaseError(Code.IMAGE_CORRUPT, "the file holds more bytes than its header says")

    def _next_chunk(self) -> bytes:
        chunk = self._file.read(_CHUNK_BYTES)
        self._hash.update(chunk)
        return chunk

    def _some(self, at_most: int) -> bytes:
        """Return some of the content, or nothing at its proper end."""
        if self._inflater is None:
            return self._some_plain(at_most)
        try:
            return self._some_inflated(self._inflater, at_most)
        except zlib.error as error:
            raise CaseError(
                Code.IMAGE_CORRUPT, f"the compressed stream is damaged ({error})"
            ) from error

    def _some_plain(self, at_most: int) -> bytes:
        self._pending = self._pending or self._next_chunk()
        piece, self._pending = self._pending[:at_most], self._pending[at_most:]
        return piece

    def _some_inflated(self, inflater: "zlib._Decompress", at_most: int) -> bytes:
        while True:
            if inflater.eof:
                if not self._starts_next_member():
                    return b""
                self._inflater = inflater = zlib.decompressobj(_GZIP_WINDOW)
            self._pending = self._pending or self._next_chunk()
            last = not self._pending
            piece = inflater.decompress(self._pending, at_most)
            self._pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if piece:
                return piece
            if last and not inflater.eof:
                raise CaseError(Code.IMAGE_CORRUPT, "the compressed stream is cut")

    def _starts_next_member(self) -> bool:
        """Tell whether gzip goes on: block compressors write many members, the last empty."""
        while len(self._pending) < len(_GZIP_MAGIC):
            chunk = self._next_chunk()
            if not chunk:
                break
            self._pending += chunk
        if self._pending and not self._pending.startswith(_GZIP_MAGIC):
            raise CaseError(Code.IMAGE_CORRUPT, "bytes follow the end of the compressed stream")
        return bool(self._pending)


@contextmanager
def opened(path: Path) -> Iterator[NiftiBytes]:
    """Open a `.nii` or `.nii.gz` file.

    Raises
    ------
    CaseError
        If there is no such file, it cannot be read, or its name is not NIfTI's.
    """
    name = path.name.lower()
    if not name.endswith((".nii", ".nii.gz")):
        raise CaseError(Code.IMAGE_CORRUPT, f"only .nii and .nii.gz are read, not '{path.suffix}'")
    with _file(path) as file:
        try:
            yield NiftiBytes(file, gzipped=name.endswith(".gz"))
        except OSError as error:
            raise CaseError(
                Code.IMAGE_CORRUPT, f"the file cannot be read to its end ({error.strerror})"
            ) from error


def _file(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            path.stat()
            raise CaseError(Code.IMAGE_MISSING, "the path is not a file")
        return path.open("rb")
    except (OSError, ValueError) as error:
        # ValueError: a NUL character in the name. The path stays out: it may name a person.
        reason = getattr(error, "strerror", None) or str(error)
        raise CaseError(Code.IMAGE_MISSING, f"the file cannot be opened ({reason})") from error
