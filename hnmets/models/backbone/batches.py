"""Batches of nearly equal size, none of one case alone."""

from itertools import pairwise

# Batch normalisation of a crop that has shrunk to one voxel needs two of them.
FEWEST = 2


def batches(n: int, *, most: int) -> list[slice]:
    """Divide `n` cases, in their order, into as few batches as `most` allows.

    Where one case would be left alone, a batch takes one more than `most`.

    Examples
    --------
    >>> [(batch.start, batch.stop) for batch in batches(33, most=16)]
    [(0, 11), (11, 22), (22, 33)]
    >>> [(batch.start, batch.stop) for batch in batches(3, most=2)]
    [(0, 3)]
    """
    count = max(1, min(-(-n // most), n // FEWEST))
    cuts = [n * place // count for place in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]
