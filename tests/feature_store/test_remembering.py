from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_store.file_stamp import FileStamp
from feature_store.quarantine import Quarantined
from feature_store.snapshot import read_snapshot
from feature_store.store import FeatureStore

SECOND = 1_000_000_000


def stamp(path: str = "a.nii.gz", *, mtime_ns: int = 100 * SECOND, digest: str = "d") -> FileStamp:
    return FileStamp(
        path=path, size_bytes=5, mtime_ns=mtime_ns, seen_at_ns=200 * SECOND, digest=digest
    )


@pytest.mark.parametrize(
    ("size_bytes", "mtime_ns", "same"),
    [(5, 100 * SECOND, True), (6, 100 * SECOND, False), (5, 100 * SECOND + 1, False)],
)
def test_a_file_is_recognised_by_size_and_time(size_bytes: int, mtime_ns: int, same: bool) -> None:
    assert stamp().matches(size_bytes=size_bytes, mtime_ns=mtime_ns) is same


@pytest.mark.parametrize(
    ("age_ns", "trusted"), [(2 * SECOND, True), (2 * SECOND - 1, False), (0, False), (-5, False)]
)
def test_a_file_written_just_before_it_was_read_is_not_trusted(age_ns: int, trusted: bool) -> None:
    young = stamp(mtime_ns=200 * SECOND - age_ns)
    assert young.matches(size_bytes=5, mtime_ns=young.mtime_ns) is trusted


def test_stamps_survive_and_are_replaced_by_path(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path) as store:
        store.remember_files([stamp("a"), stamp("b"), stamp('it\'s "c"; drop table meta')])
        store.remember_files([stamp("b", digest="new")])
        store.remember_files([])
    with FeatureStore.open(tmp_path) as store:
        files = store.files()
    assert list(files) == ["a", "b", 'it\'s "c"; drop table meta']
    assert files["b"] == stamp("b", digest="new")
    assert files["a"] == stamp("a")


def problem(case_id: str, code: str = "E_X", detail: str = "text") -> Quarantined:
    return Quarantined(case_id=case_id, code=code, stage="texture", detail=detail)


def test_a_retry_replaces_the_problems_of_its_case(tmp_path: Path) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with FeatureStore.open(tmp_path, clock=lambda: noon) as store:
        store.quarantine([problem("A", "E_X"), problem("A", "E_Y"), problem("B")])
        store.quarantine([problem("A", "E_Z")])
        assert [(q.case_id, q.code, q.at) for q in store.quarantined()] == [
            ("A", "E_Z", noon),
            ("B", "E_X", noon),
        ]
        store.release(["A", "unknown"])
        assert [q.case_id for q in store.quarantined()] == ["B"]


def test_readers_see_the_problems(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path) as store:
        store.quarantine([problem("B")])
        store.publish()
        expected = store.quarantined()
    assert read_snapshot(tmp_path).quarantined == expected


def test_a_detail_cannot_forge_a_line_or_colour_a_terminal(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path) as store:
        store.quarantine([problem("A\nB", detail="\x1b[31mGTV\r\nINFO all is well\u202e")])
        (entry,) = store.quarantined()
    assert entry.case_id == "A\\nB"
    assert entry.detail == "\\x1b[31mGTV\\r\\nINFO all is well\\u202e"
