import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from hnmets.domain.errors import Code, HnmetsError
from hnmets.execution.base import Done, Failed, Limits
from hnmets.execution.local import LocalPool
from tests.execution.work import held_back_at_import, misbehave, process, square, threads


@pytest.mark.parametrize(
    ("way", "code"),
    [("hang", Code.TIMEOUT), ("die", Code.WORKER_DIED), ("eat", Code.MEMORY)],
)
def test_a_worker_that_hangs_dies_or_eats_memory_costs_one_task(way: str, code: Code) -> None:
    pool = LocalPool(jobs=2, limits=Limits(time_s=4, memory_gib=4))
    ends = {end.task: end for end in pool.map(misbehave, ["a", way, "b", "c", "d"])}
    assert len(ends) == 5
    assert {task for task, end in ends.items() if isinstance(end, Done)} == {"a", "b", "c", "d"}
    failed = ends[way]
    assert isinstance(failed, Failed)
    assert failed.code == code


def test_two_jobs_are_two_processes_other_than_this_one() -> None:
    ends = list(LocalPool(jobs=2).map(process, range(8)))
    workers = {end.result for end in ends if isinstance(end, Done)}
    assert len(workers) == 2
    assert os.getpid() not in workers


def test_a_worker_computes_on_the_threads_it_was_given() -> None:
    (end,) = LocalPool(threads=1).map(threads, [0])
    assert isinstance(end, Done)
    assert end.result == "1"


def test_ctrl_c_reaches_no_worker_not_even_while_it_imports() -> None:
    (end,) = LocalPool().map(held_back_at_import, [0])
    assert isinstance(end, Done)
    assert signal.SIGINT in end.result
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_closing_the_iterator_stops_the_workers() -> None:
    ends = LocalPool(jobs=1, limits=Limits(time_s=30)).map(process, iter(range(10**9)))
    first = next(ends)
    assert isinstance(first, Done)
    ends.close()  # type: ignore[attr-defined]  # the pool's iterator is a generator
    with pytest.raises(ProcessLookupError):
        os.kill(first.result, 0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_killed_before_its_first_task_costs_nothing(jobs: int) -> None:
    killer = threading.Thread(target=_kill_next_worker, daemon=True)
    killer.start()
    ends = [end for end in LocalPool(jobs=jobs).map(square, range(7)) if isinstance(end, Done)]
    killer.join(timeout=60)
    assert not killer.is_alive()
    assert sorted((end.task, end.result) for end in ends) == [(n, n * n) for n in range(7)]


def test_workers_that_cannot_start_end_the_work_with_the_way_out() -> None:
    pool = LocalPool(jobs=2, limits=Limits(memory_gib=0.01))
    with pytest.raises(HnmetsError, match="workers die before they start") as caught:
        list(pool.map(square, range(7)))
    assert "Raise [build] memory_limit_gib (0.01 now)" in caught.value.__notes__[0]


# Imported by every Python before anything else: all workers but the first start slowly.
SLOW_START = """
import os, sys, time
if "spawn_main" in " ".join(sys.orig_argv):
    try:
        os.mkdir({flag!r})
    except FileExistsError:
        time.sleep(1.5)
"""
ONE_TASK = """
from hnmets.execution.local import LocalPool
from tests.execution.work import hard_to_end
print(len(list(LocalPool(jobs=2).map(hard_to_end, [0]))))
"""


def test_a_worker_that_still_starts_when_all_is_done_ends_in_silence(tmp_path: Path) -> None:
    slow = SLOW_START.format(flag=str(tmp_path / "first"))
    (tmp_path / "sitecustomize.py").write_text(slow)
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", ONE_TASK],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


def _kill_next_worker() -> None:
    """Kill a process that this one spawns, while it still imports."""
    this = psutil.Process()
    while True:
        for child in this.children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
                return
        time.sleep(0.001)
