"""Whether a model has learned from somebody, told without telling from whom it has learned."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import InvalidDataError

_KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class TrainingIds:
    """Keyed digests of the ids of all cases and patients that were learned from.

    A digest without a key would be no secret: record numbers are short, and all of them can
    be tried in seconds.

    Parameters
    ----------
    key_id
        Beginning of the key's own digest: tells a wrong key from a stranger.
    digests
        HMAC-SHA-256, hexadecimal, sorted.
    """

    key_id: str
    digests: tuple[str, ...]

    def holds(self, case_id: str, key: bytes | None) -> bool | None:
        """Tell whether an id was learned from; None where the key is not at hand."""
        if key is None or key_id_of(key) != self.key_id:
            return None
        return _digest(case_id, key) in self.digests


def training_ids(ids: Iterable[str], key: bytes) -> TrainingIds:
    """Return the digests of ids."""
    digests = tuple(sorted({_digest(each, key) for each in ids}))
    return TrainingIds(key_id=key_id_of(key), digests=digests)


def key_id_of(key: bytes) -> str:
    """Return what a key may be called by."""
    return hashlib.sha256(key).hexdigest()[:16]


def key_of(path: Path) -> bytes:
    """Return the key in a file; it is made the first time, for its owner's eyes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        own = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Whoever was faster has made the key; nobody reads half of one.
        with suppress(FileExistsError):
            path.hardlink_to(own)
        own.unlink()
    return read_key(path)


def read_key(path: Path) -> bytes:
    """Return the key in a file.

    Raises
    ------
    InvalidDataError
        If it is no key.
    """
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise InvalidDataError(f"{path.name} holds {len(key)} bytes, a key has {_KEY_BYTES}")
    return key


def _digest(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
