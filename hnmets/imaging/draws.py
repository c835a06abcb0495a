"""Random numbers of one case and purpose, the same on every machine."""

import hashlib
import json

import numpy as np


def stream(seed: int, *purpose: str) -> np.random.RandomState:
    """Return the random numbers of a seed, a case and a purpose; no other stream moves them.

    NumPy has frozen the numbers of `RandomState`, while those of `Generator` may change with
    any release (NEP 19), and the stored features of a control with them.
    """
    text = json.dumps([seed, *purpose])
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.RandomState(np.random.PCG64(int.from_bytes(digest, "big")))
