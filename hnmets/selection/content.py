"""An array as a key: what was computed from its bytes need not be computed again."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """An array that equals every array of the same type, shape and bytes.

    The rungs of a ladder choose from the same radiomics columns of the same fold, beside other
    columns that the choice does not see: the second rung finds what the first one computed.

    Parameters
    ----------
    array
        Any shape and type; not to be written to afterwards.
    """

    array: NDArray[Any]  # the key of whatever is computed from it

    @cached_property
    def _key(self) -> tuple[str, tuple[int, ...], bytes]:
        digest = hashlib.sha256(self.array.tobytes()).digest()
        return self.array.dtype.str, self.array.shape, digest

    def __eq__(self, other: object) -> bool:
        """Tell whether type, shape and bytes are the same."""
        return isinstance(other, Content) and self._key == other._key

    def __hash__(self) -> int:
        """Return the hash of type, shape and bytes."""
        return hash(self._key)
