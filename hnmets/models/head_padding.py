"""Heads of different widths side by side: what is narrower is filled with inputs of 0.

An input of 0 gives its weights a gradient of 0, and AdamW leaves a weight of 0 where it is: so a
filled head computes and learns what the head itself does.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_layout import HeadLayout

Places = dict[str, NDArray[np.intp]]
# What heads share that can stand in one stack.
Kind = tuple[object, ...]


def kind_of(layout: HeadLayout) -> Kind:
    """Return what layouts have in common that one stack can hold."""
    settings = (layout.fusion, layout.hidden)
    # Blocks that are put side by side as they are need not be told apart.
    return (*settings, layout.projection, layout.projected) if any(layout.projected) else settings


def common_layout(layouts: Sequence[HeadLayout]) -> HeadLayout:
    """Return the layout that holds all of one kind."""
    first = layouts[0]
    if not any(first.projected):
        return max(layouts, key=lambda layout: layout.columns)
    widths = tuple(map(max, zip(*(layout.widths for layout in layouts), strict=True)))
    return HeadLayout(widths, first.fusion, first.projection, first.hidden)


def columns_in(own: HeadLayout, common: HeadLayout) -> NDArray[np.intp]:
    """Return where the columns of a head stand among those of the common layout."""
    return _blocks(own.widths, common.widths) if any(own.projected) else np.arange(own.columns)


def rows_in(own: HeadLayout, common: HeadLayout) -> Places:
    """Return where the inputs of each of a head's maps stand among those of the common layout."""
    places = {name: np.arange(inputs) for name, (inputs, _) in own.linear.items()}
    first = next(name for name in own.linear if name in {"layer.0", "out"})
    if not any(own.projected):
        places[first] = np.arange(own.columns)
    elif own.fusion == "concatenation":
        places[first] = _blocks(_fused(own), _fused(common))
    return places


def filled(
    values: NDArray[np.float32], columns: NDArray[np.intp], width: int
) -> NDArray[np.float32]:
    """Return the values at these columns of a table of zeros, shape (rows, width)."""
    if len(columns) == width:
        return values
    table = np.zeros((len(values), width), dtype=np.float32)
    table[:, columns] = values
    return table


def _fused(layout: HeadLayout) -> tuple[int, ...]:
    """Return how many units each modality has behind its projection."""
    pairs = zip(layout.widths, layout.projected, strict=True)
    return tuple(layout.projection if projected else width for width, projected in pairs)


def _blocks(own: Sequence[int], common: Sequence[int]) -> NDArray[np.intp]:
    starts = [0, *accumulate(common)]
    return np.concatenate(
        [start + np.arange(width) for start, width in zip(starts, own, strict=False)]
    )
