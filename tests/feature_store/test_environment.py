import os
import subprocess
import sys
from pathlib import Path

import pytest

from feature_store.snapshot import read_snapshot
from tests.builders_store import clinical, embedding, fill, texture
from tests.feature_store.running import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> str:
    rows = [texture("A"), embedding("A"), clinical("A", 61.5, "mâle", None)]
    return fill(tmp_path_factory.mktemp("usual"), rows)


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati"},
        {"TZ": "America/St_Johns", "LC_ALL": "C"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "12345", "PYTHONUTF8": "0", "LC_ALL": "POSIX"},
        {"TMPDIR": "/nonexistent", "DUCKDB_NO_THREADS": "1"},
    ],
)
def test_the_store_is_the_same_in_any_environment(
    tmp_path: Path, usual: str, environment: dict[str, str]
) -> None:
    status, output = run("whole", tmp_path, **environment)
    assert (status, output.strip()) == (0, usual)


def test_the_store_needs_no_home_and_no_writable_working_folder(
    tmp_path: Path, usual: str
) -> None:
    bare = {key: value for key, value in os.environ.items() if key not in {"HOME", "USER"}}
    output = subprocess.run(
        [sys.executable, "-m", "tests.feature_store.programs", "whole", str(tmp_path / "store")],
        cwd="/proc",  # no file can be made there, by root neither
        env=bare | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stdout.strip() == usual


def test_a_store_moves_with_its_folder(tmp_path: Path) -> None:
    content = fill(tmp_path / "before", [texture("A")])
    (tmp_path / "before").rename(tmp_path / "after ünd space")
    assert read_snapshot(tmp_path / "after ünd space").content_hash == content
    assert fill(tmp_path / "after ünd space", [texture("A")]) == content


@pytest.mark.parametrize(("umask", "group_may"), [(0o077, False), (0o002, True)])
def test_every_file_obeys_the_umask(tmp_path: Path, umask: int, group_may: bool) -> None:
    before = os.umask(umask)
    try:
        fill(tmp_path, [texture("A")])
    finally:
        os.umask(before)
    for name in ("features.duckdb", "commits.jsonl", "store.lock", "snapshots/CURRENT"):
        mode = (tmp_path / name).stat().st_mode
        assert bool(mode & 0o040) is group_may, name


def test_times_are_utc_whatever_the_time_zone(tmp_path: Path) -> None:
    run("whole", tmp_path, TZ="Pacific/Kiritimati")  # UTC+14
    journal = (tmp_path / "commits.jsonl").read_text()
    assert '+00:00"' in journal
