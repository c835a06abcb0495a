"""A build that is killed, stopped, starved of disk or started twice loses nothing."""

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from feature_store.errors import StoreError
from feature_store.progress import read_owner
from feature_store.snapshot import read_snapshot
from hnmets.sources.synthetic.cohort import SyntheticCohort
from tests.builders_cohorts import age, command, copy_of, hnmets, start, study_of, write_cohort

pytestmark = pytest.mark.slow
MANY = SyntheticCohort(cases=20, seed=3, scale=0.3)
ROWS = 20 * 3


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "cohort"
    study = write_cohort(folder, MANY)
    # The slow engine: the fast one would be done before anybody could disturb it.
    slow = '\n[radiomics.parameters]\nengine = "pyradiomics"\n'
    study.write_text(study.read_text() + slow)
    age(folder)
    return study


@pytest.fixture
def cohort(many: Path, tmp_path: Path) -> Path:
    return copy_of(many, tmp_path / "cohort")


def build(study: Path) -> tuple[str | Path, ...]:
    return ("features", "build", "-s", study, "--only", "radiomics,outcome", "-j", "2")


def store_of(study: Path) -> Path:
    return study_of(study).store_folder


def rows_on_disk(study: Path) -> int:
    """Rows of features in whole shards: what no later build may compute again."""
    from feature_store.shard import read_shard

    shards = map(read_shard, (store_of(study) / "shards").glob("*.parquet"))
    keys = {key[:3]: shard.recipes[key[0]].kind for shard in shards for key in shard.keys}
    return sum(kind != "audit" for kind in keys.values())


def wait_for_shards(study: Path, count: int, process: subprocess.Popen[str]) -> None:
    folder = store_of(study) / "shards"
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.parquet"))) < count and process.poll() is None:
        assert time.monotonic() < deadline, "the build writes no shards"
        time.sleep(0.02)


def wait_for_orphans(groups: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(map(lives, groups)):
        assert time.monotonic() < deadline, "workers of a killed build go on for ever"
        time.sleep(0.05)


def lives(group: int) -> bool:
    """Whether a process of a process group still runs; a zombie does not."""
    members = (p for p in psutil.process_iter() if group_of(p.pid) == group)
    return any(p.status() != psutil.STATUS_ZOMBIE for p in members)


def group_of(pid: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Content hash of a build that nobody disturbed."""
    study = copy_of(many, tmp_path_factory.mktemp("undisturbed") / "cohort")
    assert hnmets(*build(study)).returncode == 0
    return read_snapshot(store_of(study)).content_hash


@pytest.mark.timeout(600)
def test_kill_9_at_random_moments_loses_and_repeats_nothing(
    cohort: Path, undisturbed: str
) -> None:
    rng = random.Random(20)  # noqa: S311  # moments, not secrets
    killed = []
    for shards in sorted(rng.sample(range(1, 19), 6)):
        process = start(*build(cohort))
        wait_for_shards(cohort, shards, process)
        time.sleep(rng.uniform(0, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed.append(process.pid)
    # Workers outlive a killed build by the case in their hands, and store it.
    wait_for_orphans(killed)
    there = rows_on_disk(cohort)
    last = hnmets(*build(cohort), "--json")
    assert last.returncode == 0, last.stderr
    assert sum(json.loads(last.stdout)["written"].values()) == ROWS - there
    assert read_snapshot(store_of(cohort)).content_hash == undisturbed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_build_ends_soon_and_keeps_what_it_has(
    number: signal.Signals, code: int, cohort: Path, undisturbed: str
) -> None:
    process = start(*build(cohort))
    wait_for_shards(cohort, 3, process)
    begin = time.monotonic()
    # A terminal sends Ctrl-C to the whole group, workers included.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    assert process.wait(timeout=10) == code
    assert time.monotonic() - begin < 10
    # Two of three shards may have been on their way; the next build finds them in the folder.
    assert len(read_snapshot(store_of(cohort)).case_ids) >= 1
    assert hnmets(*build(cohort)).returncode == 0
    assert read_snapshot(store_of(cohort)).content_hash == undisturbed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_a_build_stopped_before_its_first_shard_leaves_a_store_to_go_on_with(
    number: signal.Signals, code: int, seconds: float, shared_cohort: Path, tmp_path: Path
) -> None:
    study = copy_of(shared_cohort, tmp_path / "few")
    radiomics = ("features", "build", "-s", study, "--only", "radiomics", "-j", "2")
    with (tmp_path / "said").open("w+") as said:
        process = start(*radiomics, output=said)
        deadline = time.monotonic() + 60
        while read_owner(store_of(study)) is None:
            assert time.monotonic() < deadline, "the build does not begin"
            time.sleep(0.01)
        time.sleep(seconds)
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        assert process.wait(timeout=10) == code
        said.seek(0)
        assert "Traceback" not in said.read()
    assert read_owner(store_of(study)) is None
    done = hnmets("features", "build", "-s", study, "--only", "size", "--json")
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["written"].values()) == 6 * 2


def test_a_second_build_is_refused_and_told_who_builds(cohort: Path) -> None:
    first = start(*build(cohort))
    wait_for_shards(cohort, 1, first)
    second = hnmets(*build(cohort))
    assert second.returncode == 5
    assert f"PID {first.pid}" in second.stderr
    assert first.poll() is None
    first.kill()
    first.wait()
    assert read_owner(store_of(cohort)) is None
    assert hnmets(*build(cohort)).returncode == 0


def test_a_full_disk_stops_the_build_and_the_next_goes_on(cohort: Path, undisturbed: str) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))

    full = subprocess.run(
        command(*build(cohort)),
        preexec_fn=limit,  # no threads in this process yet
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1, full.stdout + full.stderr
    assert "bytes" in full.stderr
    assert "Traceback" not in full.stderr
    assert hnmets(*build(cohort)).returncode == 0
    assert read_snapshot(store_of(cohort)).content_hash == undisturbed


def test_readers_see_whole_generations_while_a_build_runs(cohort: Path) -> None:
    assert hnmets("features", "build", "-s", cohort, "--only", "outcome").returncode == 0
    folder, stop, problems, seen = store_of(cohort), threading.Event(), [], set()

    def read() -> None:
        while not stop.is_set():
            try:
                coverage = read_snapshot(folder).coverage()
                seen.add(tuple(c.n_cases for c in coverage if c.recipe.kind != "audit"))
            except StoreError as error:
                problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    process = start(*build(cohort))
    for reader in readers:
        reader.start()
    try:
        wait_for_shards(cohort, 4, process)
        status = hnmets("features", "status", "-s", cohort)
        assert process.wait(timeout=200) == 0
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not problems
    assert f"PID {process.pid}" in status.stdout
    # Generations hold all outcomes, and never a case with one of its two radiomics rows.
    assert {len(set(counts) - {20}) for counts in seen} <= {0, 1}
    assert len(seen) >= 2


def test_a_flipped_byte_is_found_and_the_store_made_again(cohort: Path, undisturbed: str) -> None:
    assert hnmets(*build(cohort)).returncode == 0
    database = store_of(cohort) / "features.duckdb"
    raw = bytearray(database.read_bytes())
    for place in range(0, len(raw), 4096):
        raw[place + 100 if place + 100 < len(raw) else place] ^= 0xFF
    database.write_bytes(bytes(raw))
    assert hnmets("features", "verify", "-s", cohort).returncode == 3
    assert hnmets("features", "rebuild", "-s", cohort).returncode == 0
    assert "whole" in hnmets("features", "verify", "-s", cohort).stdout
    assert read_snapshot(store_of(cohort)).content_hash == undisturbed
