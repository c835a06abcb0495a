"""Where work runs: what the workflows ask of a pool, local now, a cluster later."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from hnmets.domain.errors import Code

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one task may use before it is stopped.

    Parameters
    ----------
    time_s
        Wall time of one task, seconds.
    memory_gib
        Private memory of the worker process, GiB.
    """

    time_s: float = 900.0
    memory_gib: float = 8.0


@dataclass(frozen=True, kw_only=True)
class Done(Generic[Task, Result]):
    """A task that returned."""

    task: Task
    result: Result
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failed(Generic[Task]):
    """A task that did not; the others go on.

    Parameters
    ----------
    code
        E_TIMEOUT, E_MEMORY, E_WORKER_DIED, the code of a `CaseError`, or E_EXTRACTOR for
        anything unexpected, with the exception's text as detail.
    """

    task: Task
    code: Code
    detail: str


class Executor(Protocol):
    """Runs one function over many tasks; a task that fails, fails alone."""

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[Done[Task, Result] | Failed[Task]]:
        """Yield each task's end in the order of completion.

        An error that concerns all tasks (an `HnmetsError` that is no `CaseError`) is raised.
        The function must be importable by name, tasks and results must be picklable.
        Closing the iterator stops what still runs.
        """
        ...
