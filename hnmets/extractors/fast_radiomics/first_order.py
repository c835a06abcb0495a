"""First-order statistics of the voxels of a region, 18 features.

References
----------
IBSI, doi:10.1148/radiol.2020191145, sections 3.3 and 3.4.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
EPS = float(np.spacing(1.0))


@dataclass(frozen=True, kw_only=True)
class Intensities:
    """The voxels of a region in one image.

    Parameters
    ----------
    values
        float64, shape (n,).
    shift
        Added before energies are computed, HU.
    voxel_volume_mm3
        Of the grid of the measurement.
    level_counts
        Voxels per grey level, shape (g,).
    """

    values: Vector
    shift: float
    voxel_volume_mm3: float
    level_counts: NDArray[np.int64]

    @cached_property
    def ascending(self) -> Vector:
        """The values, sorted once for all quantiles."""
        return np.sort(self.values)

    @cached_property
    def mean(self) -> float:
        """Mean of the values."""
        return float(self.values.mean())

    @cached_property
    def deviations(self) -> Vector:
        """Values minus their mean."""
        return self.values - self.mean

    @cached_property
    def share(self) -> Vector:
        """Share of the voxels in each grey level."""
        return self.level_counts / self.level_counts.sum()

    @cached_property
    def energy(self) -> float:
        """Σ (v + shift)²."""
        return float(np.sum((self.values + self.shift) ** 2))

    @cached_property
    def squares(self) -> Vector:
        """Squared deviations."""
        return self.deviations * self.deviations

    @cached_property
    def second_moment(self) -> float:
        """Mean of the squared deviations."""
        return float(np.mean(self.squares))

    def percentile(self, percent: float) -> float:
        """Quantile between the two nearest voxels, as `numpy.percentile` interpolates."""
        place = percent / 100 * (self.values.size - 1)
        below = int(place)
        low = self.ascending[below]
        high = self.ascending[min(below + 1, self.values.size - 1)]
        part = place - below
        # NumPy interpolates from the nearer end.
        return float(
            high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part
        )


def percentile_10(v: Intensities) -> float:
    """PyRadiomics 10Percentile, IBSI QG58."""
    return v.percentile(10)


def percentile_90(v: Intensities) -> float:
    """PyRadiomics 90Percentile, IBSI 8DWT."""
    return v.percentile(90)


def energy(v: Intensities) -> float:
    """Σ (v + shift)². PyRadiomics Energy, IBSI N8CA with no shift."""
    return v.energy


def entropy(v: Intensities) -> float:
    """Of the grey levels, bits. PyRadiomics Entropy, IBSI TLU2."""
    return float(-np.sum(v.share * np.log2(v.share + EPS)))


def interquartile_range(v: Intensities) -> float:
    """PyRadiomics InterquartileRange, IBSI SALO."""
    return v.percentile(75) - v.percentile(25)


def kurtosis(v: Intensities) -> float:
    """m₄ / m₂². PyRadiomics Kurtosis, IBSI IPH6 plus 3; 0 in a flat region."""
    return float(np.mean(v.squares * v.squares)) / (v.second_moment or 1.0) ** 2


def maximum(v: Intensities) -> float:
    """PyRadiomics Maximum, IBSI 84IY."""
    return float(v.ascending[-1])


def mean_absolute_deviation(v: Intensities) -> float:
    """PyRadiomics MeanAbsoluteDeviation, IBSI 4FUA."""
    return float(np.mean(np.abs(v.deviations)))


def mean(v: Intensities) -> float:
    """PyRadiomics Mean, IBSI Q4LE."""
    return v.mean


def median(v: Intensities) -> float:
    """PyRadiomics Median, IBSI Y12H."""
    half, odd = divmod(v.values.size, 2)
    return float(v.ascending[half] if odd else np.mean(v.ascending[half - 1 : half + 1]))


def minimum(v: Intensities) -> float:
    """PyRadiomics Minimum, IBSI 1GSF."""
    return float(v.ascending[0])


def extent(v: Intensities) -> float:
    """PyRadiomics Range, IBSI 2OJQ."""
    return maximum(v) - minimum(v)


def robust_mean_absolute_deviation(v: Intensities) -> float:
    """Of the voxels between both deciles. PyRadiomics RobustMeanAbsoluteDeviation, IBSI 1128."""
    low, high = v.percentile(10), v.percentile(90)
    start = np.searchsorted(v.ascending, low, side="left")
    stop = np.searchsorted(v.ascending, high, side="right")
    inner = v.ascending[start:stop]
    if not inner.size:  # two voxels: both lie outside
        return float("nan")
    return float(np.mean(np.abs(inner - inner.mean())))


def root_mean_squared(v: Intensities) -> float:
    """PyRadiomics RootMeanSquared, IBSI 5ZWQ with no shift."""
    return float(np.sqrt(v.energy / v.values.size))


def skewness(v: Intensities) -> float:
    """m₃ / m₂^1.5. PyRadiomics Skewness, IBSI KE2M; 0 in a flat region."""
    return float(np.mean(v.squares * v.deviations)) / (v.second_moment or 1.0) ** 1.5


def total_energy(v: Intensities) -> float:
    """Energy times the volume of a voxel. PyRadiomics TotalEnergy, not in the IBSI."""
    return v.energy * v.voxel_volume_mm3


def uniformity(v: Intensities) -> float:
    """Σ share². PyRadiomics Uniformity, IBSI BJ5W."""
    return float(np.sum(v.share**2))


def variance(v: Intensities) -> float:
    """PyRadiomics Variance, IBSI ECT3."""
    return v.second_moment


FEATURES = {
    "10Percentile": percentile_10,
    "90Percentile": percentile_90,
    "Energy": energy,
    "Entropy": entropy,
    "InterquartileRange": interquartile_range,
    "Kurtosis": kurtosis,
    "Maximum": maximum,
    "MeanAbsoluteDeviation": mean_absolute_deviation,
    "Mean": mean,
    "Median": median,
    "Minimum": minimum,
    "Range": extent,
    "RobustMeanAbsoluteDeviation": robust_mean_absolute_deviation,
    "RootMeanSquared": root_mean_squared,
    "Skewness": skewness,
    "TotalEnergy": total_energy,
    "Uniformity": uniformity,
    "Variance": variance,
}
