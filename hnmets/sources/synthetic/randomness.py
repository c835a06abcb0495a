"""Random streams that depend on seed, case and purpose, and on nothing else."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; a change to one purpose leaves the others as they were."""

    PERSON = 0
    ANATOMY = 1
    TUMOUR = 2
    NOISE = 3


def stream(*, seed: int, index: int, purpose: Purpose) -> np.random.Generator:
    """Return the generator of one case and purpose: the number of cases plays no part."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, int(purpose))))
