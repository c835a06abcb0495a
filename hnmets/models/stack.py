"""Train many fusion heads at once, as one stack: folds, repeats and variants of a run.

A step of a small head is mostly overhead, on a GPU nearly all of it; a stack pays it once.
The members know nothing of each other: seeds, rows, rates, dropout and stopping are their own.
On a CPU the same members give the same bytes, and each gives what it gives alone up to the
rounding of another order of summation. This module and what it imports need numpy and torch
alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch

from hnmets.models.head_member import Member, Trained
from hnmets.models.head_padding import Kind, kind_of
from hnmets.models.memory import keep_freed_memory
from hnmets.models.stack_state import Stack, start

# More members at once are no faster: the caches of a CPU core and the memory of a GPU are full.
_AT_ONCE = {"cpu": 40, "cuda": 1280}
# Copying the stack costs about as much as the steps of one epoch save.
_FULL_ENOUGH = 0.75


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Ends what is not worth going on with.

    Parameters
    ----------
    epochs
        After which it is asked.
    stops
        Called with the epochs that are done and, by place, the members of a stack: those that
        are in training as they are, those that have ended as they ended. Returns places of
        members that are to end now.
    """

    epochs: Collection[int]
    stops: Callable[[int, Mapping[int, Trained]], Collection[int]]


def train(
    members: Sequence[Member],
    *,
    device: str = "cpu",
    at_once: int | None = None,
    judge: Judge | None = None,
) -> list[Trained]:
    """Train all members.

    Parameters
    ----------
    device
        `cpu` or `cuda`. A CPU is used with one thread: the work of a step is too small to be
        shared, and two threads on a busy machine wait for each other.
    at_once
        Most members in one stack; by default as many as serve the device.
    judge
        Ends members before their time; by default nobody does.

    Returns
    -------
    list of Trained
        In the order of the members.
    """
    most = at_once or _AT_ONCE[torch.device(device).type]
    results: dict[int, Trained] = {}
    with _one_thread() if torch.device(device).type == "cpu" else nullcontext():
        for places in _alike(members):
            for first in range(0, len(places), most):
                chunk = places[first : first + most]
                results |= _train(members, chunk, torch.device(device), judge)
    return [results[place] for place in range(len(members))]


def _alike(members: Sequence[Member]) -> list[list[int]]:
    """Return the places of members that fit into one stack, those of equal rates side by side."""
    groups: dict[tuple[Kind, int], list[int]] = {}
    for place, member in enumerate(members):
        groups.setdefault((kind_of(member.layout), member.steps), []).append(place)

    def rate(place: int) -> tuple[float, float, int]:
        parameters = members[place].parameters
        return parameters.learning_rate, parameters.weight_decay, parameters.epochs

    return [sorted(places, key=rate) for places in groups.values()]


def _train(
    members: Sequence[Member], chunk: Sequence[int], device: torch.device, judge: Judge | None
) -> dict[int, Trained]:
    """Train some of the members as one stack; return them by their places among all."""
    stack: Stack = start([members[place] for place in chunk], device)
    results: dict[int, Trained] = {}
    epoch = 0
    while stack.running.any():
        stack.learn(epoch)
        epoch += 1
        results |= {chunk[place]: each for place, each in stack.ended_after(epoch).items()}
        if judge is not None and epoch in judge.epochs:
            running = {chunk[place]: each for place, each in stack.so_far().items()}
            stopped = running.keys() & set(judge.stops(epoch, running | results))
            results |= {place: running[place] for place in stopped}
            stack.stop([chunk.index(place) for place in stopped])
        if 0 < stack.running.mean() <= _FULL_ENOUGH:
            stack = stack.still_running()
    return results


@contextmanager
def _one_thread() -> Iterator[None]:
    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
