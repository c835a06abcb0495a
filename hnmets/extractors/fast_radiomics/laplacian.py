"""Laplacian of Gaussian by recursive filters, with ITK's rounding.

ITK keeps single precision between its nine passes and computes each in double. The rounding shows
in the values (and so in bins), so every pass here ends in float32 too; with that the result is
ITK's to the last bit. Only the lines that lead to the wanted box are filtered.

References
----------
Deriche, INRIA report 1893 (1993); coefficients of Farnebäck and Westin, doi:10.1109/ICPR.2006.317,
as in ITK 5.4: RecursiveGaussianImageFilter, LaplacianRecursiveGaussianImageFilter.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.imaging.box import Box

Coefficients = NDArray[np.float64]
Vector4 = tuple[float, float, float, float]
Triple = tuple[float, float, float]

# Lines that are filtered side by side: their scratch stays in the nearest cache.
_LINES = 32
_W1, _L1, _W2, _L2 = 0.6681, -1.3932, 2.0787, -1.3732


@dataclass(frozen=True, kw_only=True)
class _Kernel:
    """Weights (a1, b1, a2, b2) of the damped waves that make up a kernel."""

    a1: float
    b1: float
    a2: float
    b2: float


_GAUSSIAN = _Kernel(a1=1.3530, b1=1.8151, a2=-0.3531, b2=0.0902)
_SECOND_DERIVATIVE = _Kernel(a1=-1.3563, b1=5.2318, a2=0.3446, b2=-2.2355)


def fits(shape: tuple[int, ...], spacing_mm: tuple[float, ...], sigma_mm: float) -> bool:
    """Whether PyRadiomics applies the filter to a box of this size."""
    needed = np.ceil(sigma_mm / np.array(spacing_mm)) + 1
    return min(shape) >= 4 and bool(np.all(np.array(shape) >= needed))


def reach(box: Box, shape: tuple[int, ...], spacing_mm: Triple, sigma_mm: float) -> Box:
    """Return the part of a CT beyond which nothing moves the filter's result by 1e-6 of it.

    That is 16 σ around the box.
    """
    d, h, w = (
        slice(max(side.start - margin, 0), min(side.stop + margin, n))
        for side, n, spacing in zip(box, shape, spacing_mm, strict=True)
        for margin in [math.ceil(16 * sigma_mm / spacing)]
    )
    return d, h, w


def laplacian_of_gaussian(
    voxels: NDArray[np.generic],
    box: Box,
    *,
    sigma_mm: float,
    spacing_mm: Triple,
) -> NDArray[np.float32]:
    """Return the scale-normalised Laplacian of Gaussian inside a box.

    Parameters
    ----------
    voxels
        (D, H, W), at least four along each axis.
    box
        Where the result is wanted.
    spacing_mm
        Along (D, H, W), mm.

    Returns
    -------
    ndarray
        float32, shape of the box.
    """
    total = np.zeros([side.stop - side.start for side in box], dtype=np.float32)
    for axis in (2, 1, 0):
        part = voxels
        for other in (axis, *(o for o in (2, 1, 0) if o != axis)):
            kernel = _SECOND_DERIVATIVE if other == axis else _GAUSSIAN
            part = _filtered(
                part, other, box[other], _recursion(sigma_mm, spacing_mm[other], kernel)
            )
        scale = 1.0 / (spacing_mm[axis] * spacing_mm[axis])
        total = (total.astype(np.float64) + part.astype(np.float64) * scale).astype(np.float32)
    return total


def _filtered(
    voxels: NDArray[np.generic], axis: int, keep: slice, recursion: Coefficients
) -> NDArray[np.generic]:
    """Filter along one axis and keep a part of it."""
    source = np.moveaxis(voxels, axis, 0)
    out = np.empty(
        [keep.stop - keep.start if a == axis else n for a, n in enumerate(voxels.shape)],
        dtype=np.float32,
    )
    _pass(source, keep.start, recursion, np.moveaxis(out, axis, 0))
    return out


@lru_cache(maxsize=256)
def _recursion(sigma_mm: float, spacing_mm: float, kernel: _Kernel) -> Coefficients:
    """Return the 20 numbers of a symmetric recursive filter: N, D, M, and both ends' B."""
    sigma = sigma_mm / spacing_mm
    d = _denominator(sigma)
    sd, dd, ed = 1.0 + d[0] + d[1] + d[2] + d[3], _weighted(0.0, d, 1), _weighted(0.0, d, 2)
    smooth = _numerator(sigma, _GAUSSIAN)
    if kernel is _GAUSSIAN:
        scale = 1.0 / (2 * _sum(smooth) / sd - smooth[0])
        n = _scaled(smooth, scale)
    else:
        sharp = _numerator(sigma, kernel)
        beta = -(2 * _sum(sharp) - sd * sharp[0]) / (2 * _sum(smooth) - sd * smooth[0])
        n0, n1, n2, n3 = (b + beta * a for a, b in zip(smooth, sharp, strict=True))
        sn = _sum(sharp) + beta * _sum(smooth)
        dn = _moment(sharp, 1) + beta * _moment(smooth, 1)
        en = _moment(sharp, 2) + beta * _moment(smooth, 2)
        alpha = en * sd * sd - ed * sn * sd - 2 * dn * dd * sd + 2 * dd * dd * sn
        alpha /= sd * sd * sd
        # Scale normalisation: the response of a blob does not depend on its size.
        n = _scaled((n0, n1, n2, n3), sigma_mm * sigma_mm / alpha)
    return _with_ends(n, d)


def _with_ends(n: Vector4, d: Vector4) -> Coefficients:
    """Add the anticausal half, and what a constant beyond the ends contributes."""
    m = (n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0])
    sd = 1.0 + d[0] + d[1] + d[2] + d[3]
    causal = [each * _sum(n) / sd for each in d]
    anticausal = [each * _sum(m) / sd for each in d]
    return np.array([*n, *d, *m, *causal, *anticausal])


def _denominator(sigma: float) -> Vector4:
    cos1, cos2 = math.cos(_W1 / sigma), math.cos(_W2 / sigma)
    exp1, exp2 = math.exp(_L1 / sigma), math.exp(_L2 / sigma)
    d4 = exp1 * exp1 * exp2 * exp2
    d3 = -2 * cos1 * exp1 * exp2 * exp2
    d3 += -2 * cos2 * exp2 * exp1 * exp1
    d2 = 4 * cos2 * cos1 * exp1 * exp2
    d2 += exp1 * exp1 + exp2 * exp2
    d1 = -2 * (exp2 * cos2 + exp1 * cos1)
    return d1, d2, d3, d4


def _numerator(sigma: float, kernel: _Kernel) -> Vector4:
    sin1, sin2 = math.sin(_W1 / sigma), math.sin(_W2 / sigma)
    cos1, cos2 = math.cos(_W1 / sigma), math.cos(_W2 / sigma)
    exp1, exp2 = math.exp(_L1 / sigma), math.exp(_L2 / sigma)
    a1, b1, a2, b2 = kernel.a1, kernel.b1, kernel.a2, kernel.b2
    n0 = a1 + a2
    n1 = exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2)
    n1 += exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1)
    n2 = (a1 + a2) * cos2 * cos1
    n2 -= b1 * cos2 * sin1 + b2 * cos1 * sin2
    n2 *= 2 * exp1 * exp2
    n2 += a2 * exp1 * exp1 + a1 * exp2 * exp2
    n3 = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2)
    n3 += exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1)
    return n0, n1, n2, n3


def _sum(n: Vector4) -> float:
    return n[0] + n[1] + n[2] + n[3]


def _moment(n: Vector4, power: int) -> float:
    """Return Σ iᵖ nᵢ, i from 0."""
    return n[1] + 2**power * n[2] + 3**power * n[3]


def _weighted(first: float, d: Vector4, power: int) -> float:
    """Return Σ iᵖ dᵢ, i from 1."""
    return first + d[0] + 2**power * d[1] + 3**power * d[2] + 4**power * d[3]


def _scaled(n: Vector4, scale: float) -> Vector4:
    return n[0] * scale, n[1] * scale, n[2] * scale, n[3] * scale


@compiled
def _pass(
    source: NDArray[np.generic], keep_from: int, k: Coefficients, out: NDArray[np.float32]
) -> None:
    """Filter along the first axis, a bundle of neighbouring lines at a time."""
    n, n_rows, n_columns = source.shape
    line, causal = np.empty((n, _LINES)), np.empty((n, _LINES))
    for row in range(n_rows):
        for first in range(0, n_columns, _LINES):
            width = min(_LINES, n_columns - first)
            for i in range(n):
                for j in range(width):
                    line[i, j] = source[i, row, first + j]
            _causal(line, k, causal, keep_from + out.shape[0])
            _add_anticausal(line, k, causal, keep_from)
            for i in range(out.shape[0]):
                for j in range(width):
                    out[i, row, first + j] = causal[keep_from + i, j]


@compiled
def _causal(x: NDArray[np.float64], k: Coefficients, y: NDArray[np.float64], keep_to: int) -> None:
    """Run from the first row of x towards the last, as far as the result is wanted."""
    n0, n1, n2, n3, d1, d2, d3, d4 = k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]
    b1, b2, b3, b4 = k[12], k[13], k[14], k[15]
    for j in range(x.shape[1]):
        a = x[0, j]
        y[0, j] = a * n0 + a * n1 + a * n2 + a * n3
        y[1, j] = x[1, j] * n0 + a * n1 + a * n2 + a * n3
        y[2, j] = x[2, j] * n0 + x[1, j] * n1 + a * n2 + a * n3
        y[3, j] = x[3, j] * n0 + x[2, j] * n1 + x[1, j] * n2 + a * n3
        y[0, j] -= a * b1 + a * b2 + a * b3 + a * b4
        y[1, j] -= y[0, j] * d1 + a * b2 + a * b3 + a * b4
        y[2, j] -= y[1, j] * d1 + y[0, j] * d2 + a * b3 + a * b4
        y[3, j] -= y[2, j] * d1 + y[1, j] * d2 + y[0, j] * d3 + a * b4
    for i in range(4, keep_to):
        for j in range(x.shape[1]):
            value = x[i, j] * n0 + x[i - 1, j] * n1 + x[i - 2, j] * n2 + x[i - 3, j] * n3
            y[i, j] = value - (
                y[i - 1, j] * d1 + y[i - 2, j] * d2 + y[i - 3, j] * d3 + y[i - 4, j] * d4
            )


@compiled
def _add_anticausal(
    x: NDArray[np.float64], k: Coefficients, y: NDArray[np.float64], keep_from: int
) -> None:
    """Run from the last row of x towards the first, as far as the result is wanted."""
    d1, d2, d3, d4, m1, m2, m3, m4 = k[4], k[5], k[6], k[7], k[8], k[9], k[10], k[11]
    b1, b2, b3, b4 = k[16], k[17], k[18], k[19]
    n = x.shape[0]
    z = np.empty_like(x)
    for j in range(x.shape[1]):
        b = x[n - 1, j]
        z[n - 1, j] = b * m1 + b * m2 + b * m3 + b * m4
        z[n - 2, j] = x[n - 1, j] * m1 + b * m2 + b * m3 + b * m4
        z[n - 3, j] = x[n - 2, j] * m1 + x[n - 1, j] * m2 + b * m3 + b * m4
        z[n - 4, j] = x[n - 3, j] * m1 + x[n - 2, j] * m2 + x[n - 1, j] * m3 + b * m4
        z[n - 1, j] -= b * b1 + b * b2 + b * b3 + b * b4
        z[n - 2, j] -= z[n - 1, j] * d1 + b * b2 + b * b3 + b * b4
        z[n - 3, j] -= z[n - 2, j] * d1 + z[n - 1, j] * d2 + b * b3 + b * b4
        z[n - 4, j] -= z[n - 3, j] * d1 + z[n - 2, j] * d2 + z[n - 1, j] * d3 + b * b4
    for i in range(n - 4, n):
        for j in range(x.shape[1]):
            y[i, j] += z[i, j]
    for i in range(n - 5, keep_from - 1, -1):
        for j in range(x.shape[1]):
            value = x[i + 1, j] * m1 + x[i + 2, j] * m2 + x[i + 3, j] * m3 + x[i + 4, j] * m4
            z[i, j] = value - (
                z[i + 1, j] * d1 + z[i + 2, j] * d2 + z[i + 3, j] * d3 + z[i + 4, j] * d4
            )
            y[i, j] += z[i, j]
