"""Who was in training is told to those who hold the key, and to nobody else."""

import hashlib
import hmac
from pathlib import Path

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.registry.training_ids import key_of, training_ids

KEY, OTHER = b"k" * 32, b"o" * 32


def test_ids_are_told_by_the_key_and_by_nothing_else() -> None:
    known = training_ids(["1234567", "P-1"], KEY)
    assert known.holds("1234567", KEY) is True
    assert known.holds("7654321", KEY) is False
    assert known.holds("1234567", OTHER) is None
    assert known.holds("1234567", None) is None


def test_a_digest_is_no_plain_hash_that_a_list_of_numbers_would_reveal() -> None:
    (digest,) = training_ids(["1234567"], KEY).digests
    assert digest == hmac.new(KEY, b"1234567", hashlib.sha256).hexdigest()
    assert digest != hashlib.sha256(b"1234567").hexdigest()


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "registry" / "training.key"
    key = key_of(path)
    assert len(key) == 32
    assert key_of(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(InvalidDataError, match="holds 5 bytes"):
        key_of(tmp_path / "key")
