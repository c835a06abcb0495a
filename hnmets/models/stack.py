"""Train many fusion heads at once, as one stack: folds, repeats and variants of a run.

A step of a small head is mostly overhead, on a GPU nearly all of it; a stack pays it once.
The members know nothing of each other: seeds, rows, rates, dropout and stopping are their own.
On a CPU the same members give the same bytes, and each gives what it gives alone up to the
rounding of another order of summation. This module and what it imports need numpy and torch
alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch

from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_member import Member, Trained
from hnmets.models.stack_state import Stack, start

# More members at once are no faster: the caches of a CPU core and the memory of a GPU are full.
_AT_ONCE = {"cpu": 40, "cuda": 1280}
# Copying the stack costs about as much as the steps of one epoch save.
_FULL_ENOUGH = 0.75


def train(
    members: Sequence[Member], *, device: str = "cpu", at_once: int | None = None
) -> list[Trained]:
    """Train all members.

    Parameters
    ----------
    device
        `cpu` or `cuda`. A CPU is used with one thread: the work of a step is too small to be
        shared, and two threads on a busy machine wait for each other.
    at_once
        Most members in one stack; by default as many as serve the device.

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
                trained = _train([members[place] for place in chunk], torch.device(device))
                results |= dict(zip(chunk, trained, strict=True))
    return [results[place] for place in range(len(members))]


def _alike(members: Sequence[Member]) -> list[list[int]]:
    """Return the places of members that fit into one stack, those of equal rates side by side."""
    groups: dict[tuple[HeadLayout, int], list[int]] = {}
    for place, member in enumerate(members):
        groups.setdefault((member.layout, member.steps), []).append(place)

    def rate(place: int) -> tuple[float, float, int]:
        parameters = members[place].parameters
        return parameters.learning_rate, parameters.weight_decay, parameters.epochs

    return [sorted(places, key=rate) for places in groups.values()]


def _train(members: Sequence[Member], device: torch.device) -> list[Trained]:
    stack: Stack = start(members, device)
    results: dict[int, Trained] = {}
    epoch = 0
    while stack.running.any():
        stack.learn(epoch)
        epoch += 1
        results |= stack.ended_after(epoch)
        if 0 < stack.running.mean() <= _FULL_ENOUGH:
            stack = stack.still_running()
    return [results[place] for place in range(len(members))]


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
