"""One level of the stationary wavelet transform, computed around a region only."""

import numpy as np
import pywt  # the filters of every wavelet
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.imaging.box import Box, within

BANDS = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")


def wavelet_bands(
    voxels: NDArray[np.generic], box: Box, *, wavelet: str
) -> dict[str, NDArray[np.floating]]:
    """Return the eight sub-bands inside a box, by PyRadiomics' names (`LLH`, …).

    As in PyWavelets, float32 is filtered in single precision and all else in double. The
    transform is periodic: PyRadiomics makes odd lengths even by repeating the first voxel at the
    end, and a region near the border of the voxels feels the other side.

    Parameters
    ----------
    voxels
        (D, H, W).
    box
        Where the result is wanted.

    Returns
    -------
    dict
        Letter by letter: W, H, D; L is the low-pass, H the high-pass filter.

    References
    ----------
    PyRadiomics 3.1, `imageoperations.getWaveletImage`.
    """
    single = voxels.dtype == np.float32
    dtype: type[np.floating] = np.float32 if single else np.float64
    filters = _filters(wavelet, dtype)
    d, h, w = (
        _crop(side, n, filters["L"].size) for side, n in zip(box, voxels.shape, strict=True)
    )
    inner = within(box, (d, h, w))
    bands: dict[str, NDArray[np.floating]] = {"": voxels[d, h, w].astype(dtype)}
    # PyRadiomics transforms along W first, and names the bands in this order.
    for axis in (2, 1, 0):
        bands = {
            name + letter: _filtered(values, axis, inner[axis], filters[letter])
            for name, values in bands.items()
            for letter in "LH"
        }
    return {name: bands[name] for name in BANDS}


def _crop(side: slice, n: int, reach: int) -> slice:
    """Return the part of an axis that the filter reads; all of it where it reaches a border."""
    low, high = side.start - reach, side.stop + reach
    return slice(low, high) if low >= 0 and high <= n else slice(0, n)


def _filters(wavelet: str, dtype: type[np.floating]) -> dict[str, NDArray[np.floating]]:
    """Return the low-pass and high-pass taps; in single precision PyWavelets has its own."""
    length = pywt.Wavelet(wavelet).dec_len
    impulse = np.zeros(4 * length, dtype=dtype)
    impulse[2 * length] = 1
    [(low, high)] = pywt.swt(impulse, wavelet, level=1)
    response = slice(2 * length - length // 2, 2 * length - length // 2 + length)
    return {"L": low[response], "H": high[response]}


def _filtered(
    values: NDArray[np.floating], axis: int, keep: slice, taps: NDArray[np.floating]
) -> NDArray[np.floating]:
    shape = [keep.stop - keep.start if a == axis else n for a, n in enumerate(values.shape)]
    out = np.zeros(shape, dtype=values.dtype)
    _convolve(np.moveaxis(values, axis, 0), taps, keep.start, np.moveaxis(out, axis, 0))
    return out


@compiled
def _convolve(
    values: NDArray[np.floating],
    taps: NDArray[np.floating],
    start: int,
    out: NDArray[np.floating],
) -> None:
    """Convolve along the first axis, periodically, adding in PyWavelets' order."""
    n = values.shape[0]
    period = n + n % 2  # the first voxel stands again behind an odd number of voxels
    for i in range(out.shape[0]):
        last = start + i + taps.size // 2
        beyond = last - period  # taps up to this one have wrapped round, and are added backwards
        for step in range(taps.size):
            tap = beyond - step if step <= beyond else step
            at = (last - tap) % period
            source = values[at if at < n else 0]
            for j in range(out.shape[1]):
                for k in range(out.shape[2]):
                    out[i, j, k] += taps[tap] * source[j, k]
