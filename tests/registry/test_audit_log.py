"""The record of promotions only grows, and shows where somebody changed it."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hnmets.domain.errors import InvalidDataError
from hnmets.registry.audit_log import AuditLog, Entry, entry_of

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def entry(version: int, reason: str = "") -> Entry:
    return entry_of("promote", model="m", version=version, package="d", at=AT, reason=reason)


def test_entries_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "registry" / "audit.jsonl")
    assert log.entries() == ()
    for version in range(3):
        log.append(entry(version, reason="ü, a\nline"))
    assert [each.version for each in log.entries()] == [0, 1, 2]
    assert log.entries()[0] == entry(0, reason="ü, a\nline")


@pytest.mark.parametrize("change", ["edit", "remove", "swap"])
def test_a_line_that_was_changed_removed_or_moved_is_noticed(change: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    for version in range(3):
        log.append(entry(version))
    lines = path.read_text().splitlines(keepends=True)
    if change == "edit":
        lines[1] = lines[1].replace('"version":1', '"version":7')
    elif change == "remove":
        del lines[1]
    else:
        lines[0], lines[1] = lines[1], lines[0]
    path.write_text("".join(lines))
    with pytest.raises(InvalidDataError, match=r"audit\.jsonl: line \d is not as it was written"):
        log.entries()
    with pytest.raises(InvalidDataError):
        log.append(entry(9))


def test_writers_at_once_leave_one_chain(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    threads = [threading.Thread(target=log.append, args=(entry(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.version for each in log.entries()) == list(range(8))
