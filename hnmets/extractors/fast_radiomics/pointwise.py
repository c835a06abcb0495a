"""Images that are a function of the voxel alone, scaled by the largest magnitude in the box.

References
----------
PyRadiomics 3.1, `imageoperations.getSquareImage` and its neighbours. The operations are NumPy's,
in PyRadiomics' order: the largest voxel often lies on the edge of a bin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.radiomics_names import ImageType

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """The lowest and the highest voxel that the filters see, HU."""

    lowest: float
    highest: float

    @property
    def largest(self) -> float:
        """The largest magnitude, HU."""
        return max(abs(self.lowest), abs(self.highest))


def square(values: Values, extremes: Extremes) -> Values:
    """Return the squares, scaled so that the largest magnitude stays."""
    return (1 / np.sqrt(extremes.largest) * values) ** 2


def square_root(values: Values, extremes: Extremes) -> Values:
    """Return the square roots with the sign of the value, scaled likewise."""
    roots = values.copy()
    up, down = values > 0, values < 0
    roots[up] = np.sqrt(values[up] * extremes.largest)
    roots[down] = -np.sqrt(-values[down] * extremes.largest)
    return roots


def logarithm(values: Values, extremes: Extremes) -> Values:
    """Return log(|v| + 1) with the sign of the value, scaled likewise."""
    logs = _signed_logarithm(values)
    of_extremes = _signed_logarithm(np.array([extremes.lowest, extremes.highest]))
    return logs * (extremes.largest / np.max(np.abs(of_extremes)))


def exponential(values: Values, extremes: Extremes) -> Values:
    """Return the exponentials, of which that of the largest magnitude is that magnitude."""
    return np.exp(np.log(extremes.largest) / extremes.largest * values)


def _signed_logarithm(values: Values) -> Values:
    logs = values.copy()
    up, down = values > 0, values < 0
    logs[up] = np.log(values[up] + 1)
    logs[down] = -np.log(-(values[down] - 1))
    return logs


IMAGES: Mapping[ImageType, Callable[[Values, Extremes], Values]] = {
    "Square": square,
    "SquareRoot": square_root,
    "Logarithm": logarithm,
    "Exponential": exponential,
}
