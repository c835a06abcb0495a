"""Work on this machine: worker processes with a limit on time and memory."""

import multiprocessing
import os
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import resource_tracker
from typing import Generic

from pebble import ProcessExpired, ProcessPool

from hnmets.domain.errors import CaseError, Code, HnmetsError
from hnmets.execution.base import Done, Failed, Limits, Result, Task

_THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
# What C++ libraries say when an allocation fails: they know no MemoryError.
_ALLOCATION_WORDS = ("bad_alloc", "allocate memory", "not enough memory", "out of memory")

# Workers that die before their first task take the pool with them. One may have been killed;
# where nothing gets done over several pools in a row, all of them will be.
_POOLS_IN_VAIN = 3
_LOOK_SECONDS = 1.0

Ending = Done[Task, Result] | Failed[Task]


@dataclass(kw_only=True)
class _Errand(Generic[Task, Result]):
    """Tasks under way, over all pools that it takes."""

    function: Callable[[Task], Result]
    queue: Iterator[Task]
    pending: dict[Future[Ending[Task, Result]], Task] = field(default_factory=dict)
    in_vain: int = 0


@dataclass(frozen=True, kw_only=True)
class LocalPool:
    """Worker processes of this machine; each lasts for many tasks.

    A worker that overruns its time, dies or is killed costs the task it was on.

    Parameters
    ----------
    jobs
        Worker processes.
    limits
        What one task may use.
    threads
        Threads of a worker's numerical libraries; one unless a worker has the machine to itself.
    fatal
        Errors that concern all tasks, such as a full disk: they end the work.
    """

    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    threads: int = 1
    fatal: tuple[type[Exception], ...] = (HnmetsError,)

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[Ending[Task, Result]]:
        """Yield each task's end in the order of completion; see `Executor.map`."""
        errand: _Errand[Task, Result] = _Errand(function=function, queue=iter(tasks))
        while True:
            try:
                yield from self._with_one_pool(errand)
            except BrokenProcessPool:
                errand.in_vain += 1
                if errand.in_vain == _POOLS_IN_VAIN:
                    raise self._stillborn() from None
                errand.queue = chain(list(errand.pending.values()), errand.queue)
                errand.pending.clear()
            else:
                return

    def _with_one_pool(self, errand: _Errand[Task, Result]) -> Iterator[Ending[Task, Result]]:
        """Work until all is done, or until the pool breaks with tasks pending."""
        pool = ProcessPool(
            max_workers=self.jobs,
            initializer=_start_worker,
            # The function travels too, so that its imports are done when a task is taken: a
            # worker that dies between taking a task and saying so would lose it.
            initargs=(self.limits.memory_gib, self.threads, os.getpid(), errand.function),
            context=multiprocessing.get_context("spawn"),
        )
        try:
            while self._fill(pool, errand):
                done = wait(errand.pending, _LOOK_SECONDS, FIRST_COMPLETED).done
                ended = [f for f in done if not isinstance(f.exception(), BrokenProcessPool)]
                for future in ended:
                    errand.in_vain = 0
                    yield self._end_of(future, errand.pending.pop(future))
                if len(ended) < len(done) or not (done or pool.active):
                    raise BrokenProcessPool
        finally:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
            _end_together(pool)
            pool.join()

    def _fill(self, pool: ProcessPool, errand: _Errand[Task, Result]) -> bool:
        """Hand over tasks, and return whether any is under way."""
        # Few tasks wait in the pool, so that a stop loses little and tasks stay lazy.
        room = 2 * self.jobs
        while len(errand.pending) < room and (task := next(errand.queue, None)) is not None:
            try:
                with _workers_deaf_to_ctrl_c():
                    future = pool.schedule(
                        _attempt, [errand.function, task, self.fatal], timeout=self.limits.time_s
                    )
            except RuntimeError as error:  # what pebble says of a pool that broke meanwhile
                errand.queue = chain([task], errand.queue)
                raise BrokenProcessPool from error
            errand.pending[future] = task
        return bool(errand.pending)

    def _stillborn(self) -> HnmetsError:
        return HnmetsError(
            f"workers die before they start ({_POOLS_IN_VAIN} times in a row, no task done)"
        ).with_note(
            f"Raise [build] memory_limit_gib ({self.limits.memory_gib:g} now), or find out what "
            "ends new processes on this machine."
        )

    def _end_of(self, future: "Future[Ending[Task, Result]]", task: Task) -> Ending[Task, Result]:
        try:
            return future.result()
        except TimeoutError:
            return Failed(
                task=task,
                code=Code.TIMEOUT,
                detail=f"took longer than {self.limits.time_s:g} s",
            )
        except ProcessExpired as error:
            return Failed(
                task=task,
                code=Code.WORKER_DIED,
                detail=f"the worker process ended with code {error.exitcode}",
            )


@dataclass(frozen=True, kw_only=True)
class InProcess:
    """Work in the calling process, one task after the other; no limits are kept.

    For a debugger, which has to see the work, and for tests of what the work does.

    Parameters
    ----------
    fatal
        See `LocalPool`.
    """

    fatal: tuple[type[Exception], ...] = (HnmetsError,)

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[Ending[Task, Result]]:
        """Yield each task's end in order; see `Executor.map`."""
        for task in tasks:
            yield _attempt(function, task, self.fatal)


@contextmanager
def _workers_deaf_to_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back from all that is started here: the pool's threads and their processes.

    The parent decides what Ctrl-C means; a worker that died of it would lose its case. The mask
    is inherited, so it holds from a worker's first import on.
    """
    # Started under the mask it would lift it; see `ResourceTracker.ensure_running`.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_together(pool: ProcessPool) -> None:
    """End all workers at once.

    Pebble takes their channel away and ends them one after the other; one that was still starting
    would complain of it on the user's terminal.
    """
    for worker in tuple(pool._pool_manager.worker_manager.workers.values()):
        worker.terminate()


def _start_worker(
    memory_gib: float, threads: int, parent: int, _function: Callable[..., object]
) -> None:
    os.environ.update({name: str(threads) for name in _THREAD_SETTINGS})
    limit = int(memory_gib * 2**30)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    except RuntimeError:
        # No memory for a thread: the parent says what that means, without a trace per worker.
        os._exit(1)


def _end_with(parent: int) -> None:
    # After kill -9 of the parent nobody else would end its workers.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _attempt(
    function: Callable[[Task], Result], task: Task, fatal: tuple[type[Exception], ...]
) -> Ending[Task, Result]:
    begin = time.perf_counter()
    try:
        result = function(task)
    except CaseError as error:
        return Failed(task=task, code=error.code, detail=error.detail)
    except fatal:
        raise
    except MemoryError as error:
        return Failed(task=task, code=Code.MEMORY, detail=str(error) or "out of memory")
    except Exception as error:  # the edge of the pool: whatever a library raises costs one case
        return Failed(task=task, code=_code_of(error), detail=_where(error))
    return Done(task=task, result=result, seconds=time.perf_counter() - begin)


def _code_of(error: Exception) -> Code:
    words = str(error).lower()
    return Code.MEMORY if any(word in words for word in _ALLOCATION_WORDS) else Code.EXTRACTOR


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (in {frame.name}, line {frame.lineno})"
