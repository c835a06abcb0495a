"""The connected parts of a mask."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hnmets.imaging.box import bounding_box

_TOUCHING_BY_CORNERS = np.ones((3, 3, 3), bool)


def connected_parts(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Split a mask into parts that touch nowhere, not even by a corner (26-connectivity).

    Returns
    -------
    list
        One bool array (D, H, W) per part, largest first, equal ones in reading order.
    """
    box = bounding_box(mask)
    if box is None:
        return []
    labels, count = ndimage.label(mask[box], _TOUCHING_BY_CORNERS)
    if count == 1:
        return [mask]
    sizes = np.bincount(labels.ravel())[1:]
    return [_placed(labels == 1 + part, mask, box) for part in np.argsort(-sizes, kind="stable")]


def _placed(
    part: NDArray[np.bool_], mask: NDArray[np.bool_], box: tuple[slice, slice, slice]
) -> NDArray[np.bool_]:
    whole = np.zeros_like(mask)
    whole[box] = part
    return whole
