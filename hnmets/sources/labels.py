"""Stored numbers of a mask to whole labels."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.scaling import Numbers, require_finite, scaled, slabs

# Masks that went through a resampler in float hold 0.9999; 0.5 is an interpolated edge.
_ROUNDING = 1e-3


def to_labels(stored: Numbers, *, slope: float, intercept: float) -> NDArray[np.integer]:
    """Turn stored voxels into integer labels.

    Parameters
    ----------
    stored
        Array (D, H, W) as in the file.

    Returns
    -------
    NDArray
        Integers (D, H, W) of the file's own width, or int32 where it stored fractions.

    Raises
    ------
    CaseError
        If a voxel is not finite, or not within 0.001 of a whole number.
    """
    small = stored.dtype.kind in "iu" and stored.dtype.itemsize <= 4
    if small and (slope, intercept) == (1.0, 0.0):
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)
    require_finite(stored)
    labels = np.empty(stored.shape, np.int32)
    for slab in slabs(stored.shape):
        values = scaled(stored[slab], slope=slope, intercept=intercept)
        rounded = np.rint(values)
        _require_whole(values, rounded)
        labels[slab] = rounded
    return labels


def _require_whole(values: Numbers, rounded: Numbers) -> None:
    limits = np.iinfo(np.int32)
    wrong = np.abs(values - rounded) > _ROUNDING
    wrong |= (rounded < limits.min) | (rounded > limits.max)
    if wrong.any():
        examples = ", ".join(f"{v:g}" for v in np.unique(values[wrong])[:5])
        raise CaseError(
            Code.MASK_VALUES,
            f"the mask holds values that are no labels ({examples}, in "
            f"{np.count_nonzero(wrong)} of the {prod(values.shape)} voxels looked at)",
        )
