"""From stored numbers to values, in slabs small enough for the cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code

_SLAB_VOXELS = 1 << 19
_ROOMY = (np.int16, np.int32, np.float32, np.float64)

Numbers = NDArray[Any]  # integers or floats: the header refuses everything else


def slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    """Split the first axis into slabs of about half a million voxels."""
    depth = shape[0]
    step = max(1, _SLAB_VOXELS // max(1, int(np.prod(shape[1:]))))
    return (slice(start, min(start + step, depth)) for start in range(0, depth, step))


def scaled(stored: Numbers, *, slope: float, intercept: float) -> Numbers:
    """Apply slope and intercept, without leaving whole numbers where they stay whole.

    Returns
    -------
    NDArray
        The stored array itself where nothing is to be done and the type has room for −1024 to
        3071; int64 where everything is whole; else float64.
    """
    whole = slope.is_integer() and intercept.is_integer()
    integer = stored.dtype.kind in "iu" and stored.dtype.itemsize <= 4
    if (slope, intercept) == (1.0, 0.0) and stored.dtype.newbyteorder("=") in _ROOMY:
        return stored
    if whole and integer:
        return stored.astype(np.int64) * int(slope) + int(intercept)
    return stored.astype(np.float64) * slope + intercept


def require_finite(stored: Numbers) -> None:
    """Refuse NaN and infinity: one such voxel changes every texture.

    Raises
    ------
    CaseError
        With their number and the first index.
    """
    if stored.dtype.kind != "f":
        return
    count, first = 0, None
    for slab in slabs(stored.shape):
        wrong = ~np.isfinite(stored[slab])
        if first is None and wrong.any():
            d, h, w = (int(i) for i in np.argwhere(wrong)[0])
            first = (slab.start + d, h, w)
        count += int(np.count_nonzero(wrong))
    if first is not None:
        raise CaseError(
            Code.IMAGE_NONFINITE,
            f"{count} voxels are not finite, the first at (D, H, W) = {first}",
        )
