import json
import os
import socket
import time
from pathlib import Path

import pytest

from feature_store.errors import StoreLockedError
from feature_store.progress import read_owner, read_progress, write_progress
from feature_store.store import FeatureStore
from feature_store.verify import verify
from tests.feature_store.running import kill, start_ready


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    holder = start_ready("hold", tmp_path)
    try:
        started = time.monotonic()
        with pytest.raises(StoreLockedError) as caught:
            FeatureStore.open(tmp_path)
        assert time.monotonic() - started < 5
        owner = read_owner(tmp_path)
        assert owner is not None
        assert owner.pid == holder.pid
        assert str(caught.value).endswith(
            f"PID {holder.pid} on {socket.gethostname()} since {owner.since}"
        )
        assert caught.value.exit_code == 5
    finally:
        kill(holder)


def test_the_lock_of_a_killed_writer_is_taken_over(tmp_path: Path) -> None:
    kill(start_ready("hold", tmp_path))
    assert (tmp_path / "owner.json").exists()
    assert read_owner(tmp_path) is None
    with FeatureStore.open(tmp_path):
        owner = read_owner(tmp_path)
        assert owner is not None
        assert owner.pid == os.getpid()
    assert read_owner(tmp_path) is None


def test_a_process_that_reuses_the_pid_is_not_the_writer(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path):
        content = json.loads((tmp_path / "owner.json").read_text())
    (tmp_path / "owner.json").write_text(json.dumps(content | {"started": 1.0}))
    assert read_owner(tmp_path) is None
    (tmp_path / "owner.json").write_text(json.dumps(content))
    assert read_owner(tmp_path) is not None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_torn_owner_file_names_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "owner.json").write_text(content)
    assert read_owner(tmp_path) is None


def test_one_process_cannot_open_the_store_twice(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path):
        with pytest.raises(StoreLockedError):
            FeatureStore.open(tmp_path)
        with pytest.raises(StoreLockedError):
            verify(tmp_path)


def test_a_store_that_could_not_be_opened_is_not_left_locked(tmp_path: Path) -> None:
    with FeatureStore.open(tmp_path):
        pass
    (tmp_path / "features.duckdb").write_bytes(b"no database" * 5000)
    for _ in range(2):
        with pytest.raises(Exception, match="damaged"):
            FeatureStore.open(tmp_path)


def test_progress_is_seen_from_elsewhere(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None
    write_progress(tmp_path, {"done": 3, "of": 15})
    assert read_progress(tmp_path) == {"done": 3, "of": 15}
    (tmp_path / "progress.json").write_text('{"done": 3')
    assert read_progress(tmp_path) is None
