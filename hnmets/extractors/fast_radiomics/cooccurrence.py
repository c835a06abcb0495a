"""Grey level co-occurrence matrix (GLCM), and the 22 features of it.

Every feature is the mean over the 13 directions in which the region has neighbours.

References
----------
Haralick et al., doi:10.1109/TSMC.1973.4309314. IBSI, doi:10.1148/radiol.2020191145, section 3.6.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hnmets.extractors.fast_radiomics.compiled import compiled
from hnmets.extractors.fast_radiomics.neighbourhood import Texture

Vector = NDArray[np.float64]
EPS = float(np.spacing(1.0))


@dataclass(frozen=True, kw_only=True)
class Cooccurrence:
    """Sums over the symmetric, normalised matrices p(i, j), a row for each of A directions.

    Parameters
    ----------
    highest
        Ng, the highest grey level.
    mean
        μ = Σ i p(i, j), shape (A, 1).
    p_sum, p_difference
        p(i + j = k) for k = 0 … 2 Ng, and p(|i − j| = k) for k = 0 … Ng − 1.
    product
        Σ i j p(i, j), shape (A,).
    variance
        Σ (i − μ)² p(i, j).
    covariance
        Σ (i − μ)(j − μ) p(i, j).
    energy, largest
        Σ p², max p.
    entropy, marginal_entropy, cross_entropy, product_entropy
        HXY = −Σ p log₂ p, HX of the row sums p_x, HXY1 = −Σ p log₂(p_x p_y), and
        HXY2 = −Σ p_x p_y log₂(p_x p_y).
    """

    highest: int
    mean: Vector
    p_sum: Vector
    p_difference: Vector
    product: Vector
    variance: Vector
    covariance: Vector
    energy: Vector
    largest: Vector
    entropy: Vector
    marginal_entropy: Vector
    cross_entropy: Vector
    product_entropy: Vector

    @cached_property
    def k_sum(self) -> Vector:
        """Values of i + j."""
        return np.arange(2.0 * self.highest + 1)

    @cached_property
    def k_difference(self) -> Vector:
        """Values of |i − j|."""
        return np.arange(float(self.highest))


def cooccurrence_counts(texture: Texture) -> NDArray[np.int64]:
    """Count the neighbours of level j of voxels of level i, both ways along each direction.

    Returns
    -------
    ndarray
        int64, shape (13, g, g), over the levels that occur; symmetric.
    """
    n_levels = texture.levels.present.size
    counts = np.empty((texture.region.steps.size, n_levels, n_levels), dtype=np.int64)
    _count(texture.grid, texture.region.voxels, texture.region.steps, counts)
    return counts


def cooccurrence_of(texture: Texture) -> Cooccurrence:
    """Sum up the matrices of the directions in which there are neighbours at all."""
    counts = cooccurrence_counts(texture)
    counts = counts[counts.sum(axis=(1, 2)) > 0]
    n_directions = len(counts)
    p_sum = np.zeros((n_directions, 2 * texture.levels.highest + 1))
    p_difference = np.zeros((n_directions, texture.levels.highest))
    sums = np.empty((n_directions, 10))
    _sum_up(counts, texture.levels.present.astype(np.float64), p_sum, p_difference, sums)
    return Cooccurrence(
        highest=texture.levels.highest,
        mean=sums[:, :1],
        p_sum=p_sum,
        p_difference=p_difference,
        product=sums[:, 1],
        variance=sums[:, 2],
        covariance=sums[:, 3],
        energy=sums[:, 4],
        largest=sums[:, 5],
        entropy=sums[:, 6],
        marginal_entropy=sums[:, 7],
        cross_entropy=sums[:, 8],
        product_entropy=sums[:, 9],
    )


@compiled
def _count(
    grid: NDArray[np.uint16],
    voxels: NDArray[np.uint64],
    steps: NDArray[np.uint64],
    counts: NDArray[np.int64],
) -> None:
    size = counts.shape[1] + 1  # row and column 0 take the neighbours outside of the region
    pairs = np.empty(size * size, np.int32)
    for direction in range(steps.size):
        pairs[:] = 0
        for n in range(voxels.size):
            level = np.uint64(grid[voxels[n]])
            neighbour = np.uint64(grid[voxels[n] - steps[direction]])
            pairs[level * np.uint64(size) + neighbour] += 1
        for i in range(1, size):
            for j in range(1, size):
                counts[direction, i - 1, j - 1] = pairs[i * size + j] + pairs[j * size + i]


@compiled
def _sum_up(
    counts: NDArray[np.int64],
    level: NDArray[np.float64],
    p_sum: NDArray[np.float64],
    p_difference: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Fill the sums of `Cooccurrence`, in the order in which PyRadiomics adds."""
    n_directions, size, _ = counts.shape
    p = np.empty((size, size))
    p_x = np.empty(size)
    for a in range(n_directions):
        total = counts[a].sum()
        mean = 0.0
        for i in range(size):
            p_x[i] = 0.0
            for j in range(size):
                p[i, j] = counts[a, i, j] / total
                p_x[i] += p[i, j]
                mean += level[i] * p[i, j]
                p_sum[a, int(level[i] + level[j])] += p[i, j]
                p_difference[a, int(abs(level[i] - level[j]))] += p[i, j]
        sums[a, 0] = mean
        _moments(p, level, mean, sums[a])
        _entropies(p, p_x, sums[a])


@compiled
def _moments(
    p: NDArray[np.float64], level: NDArray[np.float64], mean: float, sums: NDArray[np.float64]
) -> None:
    product, variance, covariance, energy, largest = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(level.size):
        for j in range(level.size):
            product += p[i, j] * (level[i] * level[j])
            variance += p[i, j] * (level[i] - mean) ** 2
            covariance += p[i, j] * (level[i] - mean) * (level[j] - mean)
            energy += p[i, j] * p[i, j]
            largest = max(largest, p[i, j])
    sums[1], sums[2], sums[3], sums[4], sums[5] = product, variance, covariance, energy, largest


@compiled
def _entropies(
    p: NDArray[np.float64], p_x: NDArray[np.float64], sums: NDArray[np.float64]
) -> None:
    entropy, marginal, cross, independent = 0.0, 0.0, 0.0, 0.0
    for i in range(p_x.size):
        marginal += p_x[i] * np.log2(p_x[i] + EPS)
        for j in range(p_x.size):
            both = p_x[i] * p_x[j]
            log_both = np.log2(both + EPS)
            if p[i, j] > 0:
                entropy += p[i, j] * np.log2(p[i, j] + EPS)
                cross += p[i, j] * log_both
            independent += both * log_both
    sums[6], sums[7], sums[8], sums[9] = -entropy, -marginal, -cross, -independent


def _total(terms: Vector) -> Vector:
    """Sum over i + j or |i − j|, of every direction."""
    total: Vector = terms.sum(axis=1)
    return total


def autocorrelation(m: Cooccurrence) -> Vector:
    """Σ i j p(i, j). PyRadiomics Autocorrelation, IBSI QWB0."""
    return m.product


def joint_average(m: Cooccurrence) -> Vector:
    """Σ i p(i, j). PyRadiomics JointAverage, IBSI 60VM."""
    return m.mean[:, 0]


def cluster_prominence(m: Cooccurrence) -> Vector:
    """Σ (i + j − 2μ)⁴ p(i, j). PyRadiomics ClusterProminence, IBSI AE86."""
    return _total(m.p_sum * (m.k_sum - m.mean - m.mean) ** 4)


def cluster_shade(m: Cooccurrence) -> Vector:
    """Σ (i + j − 2μ)³ p(i, j). PyRadiomics ClusterShade, IBSI 7NFM."""
    return _total(m.p_sum * (m.k_sum - m.mean - m.mean) ** 3)


def cluster_tendency(m: Cooccurrence) -> Vector:
    """Σ (i + j − 2μ)² p(i, j). PyRadiomics ClusterTendency, IBSI DG8W."""
    return _total(m.p_sum * (m.k_sum - m.mean - m.mean) ** 2)


def contrast(m: Cooccurrence) -> Vector:
    """Σ (i − j)² p(i, j). PyRadiomics Contrast, IBSI ACUI."""
    return _total(m.p_difference * m.k_difference**2)


def correlation(m: Cooccurrence) -> Vector:
    """Σ (i − μ)(j − μ) p(i, j) / σ². PyRadiomics Correlation, IBSI NI2N; 1 where σ is 0."""
    sigma = m.variance**0.5
    found = m.covariance / (sigma * sigma + EPS)
    found[sigma * sigma == 0] = 1
    return found


def difference_average(m: Cooccurrence) -> Vector:
    """Σ k p(|i − j| = k). PyRadiomics DifferenceAverage, IBSI TF7R."""
    return _total(m.p_difference * m.k_difference)


def difference_entropy(m: Cooccurrence) -> Vector:
    """Entropy of p(|i − j| = k). PyRadiomics DifferenceEntropy, IBSI NTRS."""
    return -_total(m.p_difference * np.log2(m.p_difference + EPS))


def difference_variance(m: Cooccurrence) -> Vector:
    """Variance of p(|i − j| = k). PyRadiomics DifferenceVariance, IBSI D3YU."""
    average = difference_average(m)[:, np.newaxis]
    return _total(m.p_difference * (m.k_difference - average) ** 2)


def joint_energy(m: Cooccurrence) -> Vector:
    """Σ p(i, j)². PyRadiomics JointEnergy, IBSI 8ZQL (angular second moment)."""
    return m.energy


def joint_entropy(m: Cooccurrence) -> Vector:
    """−Σ p(i, j) log₂ p(i, j). PyRadiomics JointEntropy, IBSI TU9B."""
    return m.entropy


def information_correlation_1(m: Cooccurrence) -> Vector:
    """(HXY − HXY1) / HX. PyRadiomics Imc1, IBSI R8DG; 0 where HX is 0."""
    found = m.entropy - m.cross_entropy
    known = m.marginal_entropy != 0
    found[known] /= m.marginal_entropy[known]
    found[~known] = 0
    return found


def information_correlation_2(m: Cooccurrence) -> Vector:
    """√(1 − exp(−2 (HXY2 − HXY))). PyRadiomics Imc2, IBSI JN9H; 0 where both are equal."""
    found = (1 - np.e ** (-2 * (m.product_entropy - m.entropy))) ** 0.5
    found[m.product_entropy == m.entropy] = 0
    return found


def inverse_difference_moment(m: Cooccurrence) -> Vector:
    """Σ p(|i − j| = k) / (1 + k²). PyRadiomics Idm, IBSI WF0Z."""
    return _total(m.p_difference / (1 + m.k_difference**2))


def inverse_difference_moment_normalised(m: Cooccurrence) -> Vector:
    """Σ p(|i − j| = k) / (1 + k² / Ng²). PyRadiomics Idmn, IBSI 1QCO."""
    return _total(m.p_difference / (1 + m.k_difference**2 / m.highest**2))


def inverse_difference(m: Cooccurrence) -> Vector:
    """Σ p(|i − j| = k) / (1 + k). PyRadiomics Id, IBSI IB1Z."""
    return _total(m.p_difference / (1 + m.k_difference))


def inverse_difference_normalised(m: Cooccurrence) -> Vector:
    """Σ p(|i − j| = k) / (1 + k / Ng). PyRadiomics Idn, IBSI NDRX."""
    return _total(m.p_difference / (1 + m.k_difference / m.highest))


def inverse_variance(m: Cooccurrence) -> Vector:
    """Σ p(|i − j| = k) / k², k > 0. PyRadiomics InverseVariance, IBSI E8JP."""
    return _total(m.p_difference[:, 1:] / m.k_difference[1:] ** 2)


def maximum_probability(m: Cooccurrence) -> Vector:
    """Return max p(i, j). PyRadiomics MaximumProbability, IBSI GYBY."""
    return m.largest


def sum_entropy(m: Cooccurrence) -> Vector:
    """Entropy of p(i + j = k). PyRadiomics SumEntropy, IBSI P6QZ."""
    return -_total(m.p_sum * np.log2(m.p_sum + EPS))


def sum_of_squares(m: Cooccurrence) -> Vector:
    """Σ (i − μ)² p(i, j). PyRadiomics SumSquares, IBSI UR99 (joint variance)."""
    return m.variance


FEATURES = {
    "Autocorrelation": autocorrelation,
    "JointAverage": joint_average,
    "ClusterProminence": cluster_prominence,
    "ClusterShade": cluster_shade,
    "ClusterTendency": cluster_tendency,
    "Contrast": contrast,
    "Correlation": correlation,
    "DifferenceAverage": difference_average,
    "DifferenceEntropy": difference_entropy,
    "DifferenceVariance": difference_variance,
    "JointEnergy": joint_energy,
    "JointEntropy": joint_entropy,
    "Imc1": information_correlation_1,
    "Imc2": information_correlation_2,
    "Idm": inverse_difference_moment,
    "Idmn": inverse_difference_moment_normalised,
    "Id": inverse_difference,
    "Idn": inverse_difference_normalised,
    "InverseVariance": inverse_variance,
    "MaximumProbability": maximum_probability,
    "SumEntropy": sum_entropy,
    "SumSquares": sum_of_squares,
}
