"""Pseudonyms: the same under the key, nothing without it."""

import hashlib
import hmac
import tempfile
from pathlib import Path

import pytest

from hnmets.domain.errors import UsageError
from hnmets.sources.dicom.pseudonym import Pseudonyms, read_key

ONE, OTHER = Pseudonyms(key=b"1" * 16), Pseudonyms(key=b"2" * 16)


def test_a_pseudonym_is_the_published_hash_of_the_id_under_the_key() -> None:
    # HMAC-SHA-256 (RFC 2104), base 32 (RFC 4648): the first 50 bits.
    digest = hmac.new(b"1" * 16, b"patient\x000012345", hashlib.sha256).digest()
    bits = int.from_bytes(digest, "big") >> (256 - 50)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    text = "".join(letters[bits >> (45 - 5 * place) & 31] for place in range(10))
    assert ONE.patient("0012345") == f"P-{text}"


def test_the_same_key_gives_the_same_name_and_another_key_another() -> None:
    assert ONE.patient("4711") == Pseudonyms(key=b"1" * 16).patient(" 4711 ")
    assert ONE.patient("4711") != OTHER.patient("4711")
    assert ONE.patient("4711") != ONE.patient("04711")
    assert ONE.check != OTHER.check


def test_trying_all_short_ids_without_the_key_finds_nothing() -> None:
    # What a dictionary attack on an unkeyed hash does in a second.
    wanted = ONE.patient("4711")
    assert wanted not in {OTHER.patient(str(number)) for number in range(20_000)}
    assert wanted in {ONE.patient(str(number)) for number in range(20_000)}


def test_the_key_is_not_shown() -> None:
    assert "1111" not in repr(ONE)
    assert "1111" not in str(ONE)


def test_without_a_key_nothing_is_done_and_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no key") as caught:
        read_key(None, None)
    assert "HNMETS_PSEUDONYM_KEY" in caught.value.__notes__[0]
    with pytest.raises(UsageError, match="6 bytes; 16 are the least"):
        read_key(None, "secret")
    with pytest.raises(UsageError, match="absent' cannot be read: No such file") as caught:
        read_key(tmp_path / "absent", "a variable that counts less than a file")
    assert "a variable" not in str(caught.value)


def test_a_key_that_others_can_read_is_used_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "key"
        file.write_text("1" * 16)
        file.chmod(0o644)
        Path(place).chmod(0o755)
        assert read_key(file, None) == ONE
        assert caplog.messages == ["others can read 'key': chmod 600 it"]
        caplog.clear()
        file.chmod(0o600)
        assert read_key(file, None) == ONE
    assert caplog.messages == []


def test_a_file_counts_more_than_a_variable_and_its_line_end_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("1" * 16 + "\n")
    assert read_key(file, "2" * 16) == ONE
    assert read_key(None, "2" * 16) == OTHER
