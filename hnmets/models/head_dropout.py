"""Dropout that depends on a member's seed and step alone, not on who trains beside it.

Random bits are a hash of a counter, as in counter-based generators: no state, the same on
every device, four units per 32-bit word.

References
----------
Salmon et al. 2011, doi:10.1145/2063384.2063405; the mixing constants are Wellons' lowbias32.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

_LEVELS = 256
# Odd constants as signed 32-bit numbers: products wrap around.
_GOLDEN = 0x9E3779B9 - 2**32
_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B - 2**32


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """Which units the members drop.

    Parameters
    ----------
    keys
        int32, shape (seeds,): a hash of each distinct seed; the trials of a search share them.
    places
        int64, shape (members,): of each member's key.
    dropped
        float32, shape (members, 1, 1): share of the units that are dropped, in 256ths.
    """

    keys: Tensor
    places: Tensor
    dropped: Tensor

    def among(self, places: Tensor) -> "Dropout":
        """Return the dropout of some of the members."""
        return replace(self, places=self.places[places], dropped=self.dropped[places])

    def factors(self, step: int, *, rows: int, units: int) -> Tensor:
        """Return 0 for a dropped unit and 1 / (1 − share) for another.

        Parameters
        ----------
        step
            Steps that were trained before.

        Returns
        -------
        Tensor
            float32, shape (members, rows, units).
        """
        words = -(-rows * units // 4)
        counter = torch.arange(words, dtype=torch.int32, device=self.keys.device)
        # Wrapped here: what a device does with a number beyond 32 bits is its own affair.
        turn = (step * _GOLDEN + 2**31) % 2**32 - 2**31
        keys = _hashed(self.keys + turn)
        bits = _hashed(counter * _GOLDEN + keys[:, None]).view(torch.uint8)
        bits = bits[:, : rows * units].index_select(0, self.places)
        levels = bits.view(len(self.places), rows, units).float()
        # In place on floats: comparing bytes and choosing by the result takes six times as long.
        return levels.ge_(self.dropped).mul_(_LEVELS / (_LEVELS - self.dropped))


def dropout_of(
    seeds: Sequence[int], shares: Sequence[float], device: torch.device
) -> Dropout | None:
    """Return the dropout of members with these seeds and shares; None where nobody drops."""
    levels = np.rint(np.array(shares, dtype=np.float32) * _LEVELS)
    if not levels.any():
        return None
    distinct = {seed: place for place, seed in enumerate(dict.fromkeys(seeds))}
    states = [np.random.SeedSequence(seed).generate_state(1)[0] for seed in distinct]
    return Dropout(
        keys=torch.from_numpy(np.array(states, dtype=np.uint32).view(np.int32)).to(device),
        places=torch.tensor([distinct[seed] for seed in seeds], device=device),
        dropped=torch.from_numpy(levels).view(-1, 1, 1).to(device),
    )


def _hashed(x: Tensor) -> Tensor:
    """Mix 32-bit words in place; the shifts are made logical, a signed one copies the sign."""
    x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF)).mul_(_FIRST)
    x.bitwise_xor_((x >> 15).bitwise_and_(0x1FFFF)).mul_(_SECOND)
    return x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF))
