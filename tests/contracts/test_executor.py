"""Every executor keeps the same promises."""

import pytest

from feature_store.errors import StoreError, StoreFullError
from hnmets.domain.errors import Code
from hnmets.execution.base import Done, Executor, Failed
from hnmets.execution.local import InProcess, LocalPool
from tests.execution.work import misbehave, square

FATAL = (StoreError,)


@pytest.fixture(
    params=[
        InProcess(fatal=FATAL),
        LocalPool(jobs=1, fatal=FATAL),
        LocalPool(jobs=2, fatal=FATAL),
    ],
    ids=repr,
)
def executor(request: pytest.FixtureRequest) -> Executor:
    chosen: Executor = request.param
    return chosen


def test_every_task_ends_once(executor: Executor) -> None:
    ends = [end for end in executor.map(square, range(7)) if isinstance(end, Done)]
    assert sorted((end.task, end.result) for end in ends) == [(n, n * n) for n in range(7)]


def test_a_task_that_fails_fails_alone(executor: Executor) -> None:
    ends = {end.task: end for end in executor.map(misbehave, ["a", "refuse", "raise", "b"])}
    assert isinstance(ends["a"], Done)
    assert isinstance(ends["b"], Done)
    refused, raised = ends["refuse"], ends["raise"]
    assert isinstance(refused, Failed)
    assert (refused.code, refused.detail) == (Code.REGION_EMPTY, "region 'tumour' has no voxels")
    assert isinstance(raised, Failed)
    assert raised.code == Code.EXTRACTOR
    assert "ZeroDivisionError: division by zero" in raised.detail


def test_no_tasks_end_at_once(executor: Executor) -> None:
    assert list(executor.map(square, [])) == []


def test_a_full_disk_ends_the_work_and_says_what_is_needed(executor: Executor) -> None:
    with pytest.raises(StoreFullError, match="needs about 4096 bytes") as caught:
        list(executor.map(misbehave, ["full", "a"]))
    assert caught.value.needed_bytes == 4096
    assert "Free some space" in caught.value.__notes__[0]
