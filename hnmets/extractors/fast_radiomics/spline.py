"""Coefficients of the cubic spline through a part of a CT, with ITK's bits.

References
----------
Unser, doi:10.1109/79.799930: the recursive prefilter and its pole.
ITK 5.4: BSplineDecompositionImageFilter.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.imaging.box import Box, within

_POLE = math.sqrt(3.0) - 2.0
# Voxels after which ITK ends the sum that starts its recursion: a tolerance of 1e-10.
_HORIZON = math.ceil(math.log(1e-10) / math.log(abs(_POLE)))
# A window reaches this far beyond the voxels that are needed: along it the start of the recursion
# fades to 0.268⁴⁸ = 4e-28 of itself, far below the last bit.
_MARGIN = 48
# No state of the recursion is larger than this many times the largest voxel: 6 / (1 - 0.268).
_LARGEST_STATE = 8.2
# Lines further away than this from what is needed cannot move its last bit.
_REACH = 8


def _with_margin(needed: Box, shape: tuple[int, ...], margin: int) -> Box:
    d, h, w = (
        slice(max(side.start - margin, 0), min(side.stop + margin, n))
        for side, n in zip(needed, shape, strict=True)
    )
    return d, h, w


def spline_coefficients(voxels: NDArray[np.generic], needed: Box) -> NDArray[np.float64]:
    """Return the spline coefficients of the needed part.

    They come from a window of the CT, or from all of it where what lies beyond the window may
    show in the last bit: in a plateau of equal voxels the recursion can swing between two
    neighbouring numbers for ever, and only its beginning tells when it is at which.
    """
    for margin in (_MARGIN, max(voxels.shape)):
        window = _with_margin(needed, voxels.shape, margin)
        coefficients, is_exact = _coefficients_in(window, voxels, needed)
        if is_exact:
            break
    return coefficients


def _coefficients_in(
    window: Box, voxels: NDArray[np.generic], needed: Box
) -> tuple[NDArray[np.float64], bool]:
    """Filter a window along W, then H, then D, as ITK does; say whether it was wide enough."""
    is_exact = True
    current: NDArray[np.generic] = voxels[window]
    inner = within(_with_margin(needed, voxels.shape, _REACH), window)
    keep = within(needed, window)
    for axis in (2, 1, 0):
        rows, columns = (
            inner[other] if other < axis else slice(0, current.shape[other])
            for other in range(3)
            if other != axis
        )
        source = np.moveaxis(current, axis, 0)
        n_kept = keep[axis].stop - keep[axis].start
        filtered = np.empty((n_kept, *source.shape[1:]))
        cut = (window[axis].start > 0, window[axis].stop < voxels.shape[axis])
        matters = (rows.start, rows.stop, columns.start, columns.stop)
        bound = _LARGEST_STATE * max(abs(float(source.min())), abs(float(source.max())))
        is_exact &= _prefilter(source, keep[axis].start, cut, bound, matters, filtered)
        current = np.moveaxis(filtered, 0, axis)
    return np.ascontiguousarray(current, dtype=np.float64), is_exact


@compiled
def _prefilter(
    source: NDArray[np.generic],
    keep_from: int,
    cut: tuple[bool, bool],
    bound: float,
    matters: tuple[int, int, int, int],
    out: NDArray[np.float64],
) -> bool:
    """Turn samples into spline coefficients along the first axis.

    Where a line is cut its recursion starts from two states that enclose the true one. The
    recursion keeps their order, so when both have met the true one is there too.

    Returns
    -------
    bool
        Whether all lines that matter (rows from, to, columns from, to) have met.
    """
    n, n_rows, n_columns = source.shape
    keep_to = keep_from + out.shape[0]
    low, high = np.empty((n, n_columns)), np.empty((n, n_columns))
    gain = (1.0 - _POLE) * (1.0 - 1.0 / _POLE) if n > 1 else 1.0
    met = True
    for row in range(n_rows):
        for i in range(n):
            for j in range(n_columns):
                low[i, j] = source[i, row, j] * gain
        if n > 1:
            inside = matters[0] <= row < matters[1]
            met &= _causal(low, high, keep_from, cut[0], bound, inside, matters)
            met &= _anticausal(low, high, keep_to, cut[1], bound, inside, matters)
        for i in range(out.shape[0]):
            for j in range(n_columns):
                out[i, row, j] = low[keep_from + i, j]
    return met


@compiled
def _causal(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    keep_from: int,
    cut: bool,
    bound: float,
    inside: bool,
    matters: tuple[int, int, int, int],
) -> bool:
    n, n_columns = low.shape
    start = 1
    if cut:
        start = keep_from + 1
        high[: keep_from + 1] = low[: keep_from + 1]
        for j in range(n_columns):
            low[0, j], high[0, j] = -bound, bound
        for i in range(1, start):
            for j in range(n_columns):
                low[i, j] += _POLE * low[i - 1, j]
                high[i, j] += _POLE * high[i - 1, j]
    else:
        _start(low)
    for i in range(start, n):
        for j in range(n_columns):
            low[i, j] += _POLE * low[i - 1, j]
    return not (cut and inside) or _equal(low[keep_from], high[keep_from], matters)


@compiled
def _anticausal(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    keep_to: int,
    cut: bool,
    bound: float,
    inside: bool,
    matters: tuple[int, int, int, int],
) -> bool:
    n, n_columns = low.shape
    start = n - 2
    if cut:
        start = keep_to - 2
        high[keep_to - 1 :] = low[keep_to - 1 :]
        for j in range(n_columns):
            low[n - 1, j], high[n - 1, j] = -bound, bound
        for i in range(n - 2, start, -1):
            for j in range(n_columns):
                low[i, j] = _POLE * (low[i + 1, j] - low[i, j])
                high[i, j] = _POLE * (high[i + 1, j] - high[i, j])
    else:
        last = _POLE / (_POLE * _POLE - 1.0)
        for j in range(n_columns):
            low[n - 1, j] = last * (_POLE * low[n - 2, j] + low[n - 1, j])
    for i in range(start, -1, -1):
        for j in range(n_columns):
            low[i, j] = _POLE * (low[i + 1, j] - low[i, j])
    return not (cut and inside) or _equal(low[keep_to - 1], high[keep_to - 1], matters)


@compiled
def _equal(
    low: NDArray[np.float64], high: NDArray[np.float64], matters: tuple[int, int, int, int]
) -> bool:
    for j in range(matters[2], matters[3]):
        if low[j] != high[j]:
            return False
    return True


@compiled
def _start(line: NDArray[np.float64]) -> None:
    """Set the first causal coefficient of a CT that is mirrored at its border."""
    n, n_columns = line.shape
    power = _POLE
    if n > _HORIZON:
        for i in range(1, _HORIZON):
            for j in range(n_columns):
                line[0, j] += power * line[i, j]
            power *= _POLE
        return
    inverse = 1.0 / _POLE
    mirrored = _POLE ** (n - 1.0)
    for j in range(n_columns):
        line[0, j] += mirrored * line[n - 1, j]
    mirrored *= mirrored * inverse
    for i in range(1, n - 1):
        for j in range(n_columns):
            line[0, j] += (power + mirrored) * line[i, j]
        power *= _POLE
        mirrored *= inverse
    for j in range(n_columns):
        line[0, j] /= 1.0 - power * power
