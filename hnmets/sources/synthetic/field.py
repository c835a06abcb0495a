"""Gaussian random fields, and the rank map that hides them from the histogram."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.special import ndtri


def gaussian_field(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    length_mm: float,
) -> NDArray[np.float64]:
    """Draw a stationary field with correlation exp(−r² / 2 length²).

    Returns
    -------
    NDArray
        float64 (D, H, W), mean 0, standard deviation 1.
    """
    # Larger than asked for: the transform is periodic, opposite borders would agree.
    margin = [int(np.ceil(3.0 * length_mm / step)) for step in spacing_mm]
    padded = [next_fast_len(n + m, real=True) for n, m in zip(shape, margin, strict=True)]
    frequency = [np.fft.fftfreq(n, step) for n, step in zip(padded, spacing_mm, strict=True)]
    frequency[2] = np.fft.rfftfreq(padded[2], spacing_mm[2])
    # One factor per axis, as the Gaussian of a sum is a product.
    depth, height, width = (np.exp(-((np.pi * length_mm * k) ** 2)) for k in frequency)
    spectrum = rfftn(rng.standard_normal(padded))
    spectrum *= depth[:, None, None] * height[None, :, None] * width[None, None, :]
    smooth = irfftn(spectrum, s=padded)[: shape[0], : shape[1], : shape[2]]
    return np.asarray((smooth - smooth.mean()) / smooth.std())


def rank_map(values: NDArray[np.float64], *, mean_hu: float, sd_hu: float) -> NDArray[np.float64]:
    """Give values a normal histogram, keeping their order.

    Two sets of equal size get exactly the same histogram, whatever their pattern: first-order
    features cannot tell them apart.
    """
    rank = np.empty(values.size)
    rank[np.argsort(values, kind="stable")] = np.arange(values.size)
    return np.asarray(mean_hu + sd_hu * ndtri((rank + 0.5) / values.size))
