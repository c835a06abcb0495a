import os

import pytest

from hnmets.domain.errors import Code
from hnmets.execution.base import Done, Failed, Limits
from hnmets.execution.local import LocalPool
from tests.execution.work import misbehave, process, threads


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


def test_closing_the_iterator_stops_the_workers() -> None:
    ends = LocalPool(jobs=1, limits=Limits(time_s=30)).map(process, iter(range(10**9)))
    first = next(ends)
    assert isinstance(first, Done)
    ends.close()  # type: ignore[attr-defined]  # the pool's iterator is a generator
    with pytest.raises(ProcessLookupError):
        os.kill(first.result, 0)
