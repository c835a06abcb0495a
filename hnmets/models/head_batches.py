"""Which rows each member sees in each step of an epoch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_member import Member

# A place that only fills the shape.
PADDING = -1


def epoch_batches(members: Sequence[Member], epoch: int) -> NDArray[np.int64]:
    """Return places among each member's fitting rows, shape (steps, members, rows of a step).

    The order follows from a member's seed and the epoch alone. Steps differ by one row at most;
    what is shorter is filled with `PADDING`.

    Parameters
    ----------
    members
        With as many steps per epoch as each other.
    """
    orders: dict[tuple[int, int], list[NDArray[np.int64]]] = {}
    steps = members[0].steps
    batches = np.full((steps, len(members), rows_of_a_step(members)), PADDING)
    for place, member in enumerate(members):
        key = member.seed, len(member.fitting.outcome)
        if key not in orders:
            rng = np.random.default_rng([member.seed, epoch])
            orders[key] = np.array_split(rng.permutation(key[1]), steps)
        for step, rows in enumerate(orders[key]):
            batches[step, place, : len(rows)] = rows
    return batches


def rows_of_a_step(members: Sequence[Member]) -> int:
    """Return the most rows that a step takes of one member."""
    return max(-(-len(member.fitting.outcome) // member.steps) for member in members)


def all_rows(rows: Sequence[int]) -> NDArray[np.int64]:
    """Return the places of all rows of each member, shape (members, most rows), filled."""
    places = np.arange(max(rows))
    return np.where(places < np.array(rows)[:, np.newaxis], places, PADDING)
