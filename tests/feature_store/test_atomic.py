"""Files that are there a second time keep what they were given."""

import os
from pathlib import Path

import pytest

from feature_store.atomic import link_or_copy, write_atomic


def no_links(*_: object, **__: object) -> None:
    raise OSError(18, "Invalid cross-device link")


@pytest.mark.parametrize("links", [True, False])
def test_a_second_file_stays_when_the_first_is_written_anew(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_atomic(tmp_path / "first", b"old")
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    second = link_or_copy(first, tmp_path / "second")
    assert second.samefile(first) is links
    write_atomic(first, b"new")
    assert second.read_bytes() == b"old"


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    first, second = (write_atomic(tmp_path / n, n.encode()) for n in ("first", "second"))
    with pytest.raises(FileExistsError):
        link_or_copy(first, second)
    assert second.read_bytes() == b"second"
