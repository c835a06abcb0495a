"""The one file that says which generation readers see."""

import re
from pathlib import Path

from feature_store.errors import StoreCorruptError
from feature_store.layout import StoreFiles

_MANIFEST_NAME = re.compile(r"[0-9a-f]{64}\.json")


def read_pointer(files: StoreFiles) -> Path:
    """Return the path of the newest manifest.

    Raises
    ------
    FileNotFoundError
        If nothing was published yet.
    StoreCorruptError
        If the pointer holds anything but a manifest's name: a power cut can leave it empty or
        full of zeros.
    """
    name = files.pointer.read_text(errors="replace")
    if not _MANIFEST_NAME.fullmatch(name):
        raise StoreCorruptError(files.pointer, "it names no published generation")
    return files.snapshots / name
