"""What run length, size zone and dependence matrices have in common: levels times sizes.

A run has a length, a zone a number of voxels, a voxel a number of dependent neighbours (and
itself): each is a size j. The formulas are the same for the three; every docstring names the
feature in PyRadiomics' GLRLM, GLSZM and GLDM and in the IBSI's 3.7, 3.8 and 3.11.

References
----------
Galloway, doi:10.1016/S0146-664X(75)80008-6. Thibault et al., doi:10.1109/TBME.2013.2284600.
Sun and Wee, doi:10.1016/0734-189X(83)90032-4. IBSI, doi:10.1148/radiol.2020191145.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
EPS = float(np.spacing(1.0))


@dataclass(frozen=True, kw_only=True)
class LevelBySize:
    """How often each size occurs at each grey level, in A matrices.

    Parameters
    ----------
    counts
        n(i, j), shape (A, g, s).
    level
        i, shape (g,).
    size
        j, shape (s,).
    """

    counts: Vector
    level: Vector
    size: Vector

    @cached_property
    def total(self) -> Vector:
        """N = Σ n(i, j), shape (A,)."""
        return self.counts.sum(axis=(1, 2))

    @cached_property
    def by_level(self) -> Vector:
        """Σⱼ n(i, j), shape (A, g)."""
        return self.counts.sum(axis=2)

    @cached_property
    def by_size(self) -> Vector:
        """Σᵢ n(i, j), shape (A, s)."""
        return self.counts.sum(axis=1)


def level_by_size(counts: NDArray[np.int64], present: NDArray[np.int64]) -> LevelBySize:
    """Leave out matrices without counts and sizes that nobody has.

    Parameters
    ----------
    counts
        Shape (A, g, s), sizes from 1.
    present
        The grey levels, shape (g,).
    """
    found = counts[counts.sum(axis=(1, 2)) > 0]
    sizes = np.flatnonzero(found.sum(axis=(0, 1)))
    return LevelBySize(
        counts=found[:, :, sizes].astype(np.float64),
        level=present.astype(np.float64),
        size=sizes.astype(np.float64) + 1,
    )


def small_emphasis(m: LevelBySize) -> Vector:
    """Σ n / j² / N. ShortRun-, SmallArea-, SmallDependenceEmphasis; 22OV, 5QRC, SODN."""
    return (m.by_size / m.size**2).sum(axis=1) / m.total


def large_emphasis(m: LevelBySize) -> Vector:
    """Σ n j² / N. LongRun-, LargeArea-, LargeDependenceEmphasis; W4KF, 48P8, IMOQ."""
    return (m.by_size * m.size**2).sum(axis=1) / m.total


def low_level_emphasis(m: LevelBySize) -> Vector:
    """Σ n / i² / N. LowGrayLevelRun-, -Zone-, LowGrayLevelEmphasis; V3SW, XMSY, TL9H."""
    return (m.by_level / m.level**2).sum(axis=1) / m.total


def high_level_emphasis(m: LevelBySize) -> Vector:
    """Σ n i² / N. HighGrayLevelRun-, -Zone-, HighGrayLevelEmphasis; G3QZ, 5GN9, OAE7."""
    return (m.by_level * m.level**2).sum(axis=1) / m.total


def small_low_emphasis(m: LevelBySize) -> Vector:
    """Σ n / (i² j²) / N. ShortRun-, SmallArea-, SmallDependenceLowGrayLevelEmphasis.

    IBSI HTZT, 5RAI, EQ3F.
    """
    return _joint(m, m.level**-2, m.size**-2)


def small_high_emphasis(m: LevelBySize) -> Vector:
    """Σ n i² / j² / N. ShortRun-, SmallArea-, SmallDependenceHighGrayLevelEmphasis.

    IBSI GD3A, HW1V, JA6D.
    """
    return _joint(m, m.level**2, m.size**-2)


def large_low_emphasis(m: LevelBySize) -> Vector:
    """Σ n j² / i² / N. LongRun-, LargeArea-, LargeDependenceLowGrayLevelEmphasis.

    IBSI IVPO, YH51, NBZI.
    """
    return _joint(m, m.level**-2, m.size**2)


def large_high_emphasis(m: LevelBySize) -> Vector:
    """Σ n i² j² / N. LongRun-, LargeArea-, LargeDependenceHighGrayLevelEmphasis.

    IBSI 3KUM, J17V, 9QMG.
    """
    return _joint(m, m.level**2, m.size**2)


def level_nonuniformity(m: LevelBySize) -> Vector:
    """Σᵢ (Σⱼ n)² / N. GrayLevelNonUniformity; R5YN, JNSA, FP8K."""
    return (m.by_level**2).sum(axis=1) / m.total


def level_nonuniformity_normalised(m: LevelBySize) -> Vector:
    """Σᵢ (Σⱼ n)² / N². GrayLevelNonUniformityNormalized; OVBL, Y1RO, not in GLDM."""
    return (m.by_level**2).sum(axis=1) / m.total**2


def size_nonuniformity(m: LevelBySize) -> Vector:
    """Σⱼ (Σᵢ n)² / N. RunLength-, SizeZone-, DependenceNonUniformity; W92Y, 4JP3, Z87G."""
    return (m.by_size**2).sum(axis=1) / m.total


def size_nonuniformity_normalised(m: LevelBySize) -> Vector:
    """Σⱼ (Σᵢ n)² / N². RunLength-, SizeZone-, DependenceNonUniformityNormalized.

    IBSI IC23, VB3A, OKJI.
    """
    return (m.by_size**2).sum(axis=1) / m.total**2


def percentage(m: LevelBySize) -> Vector:
    """N / Σ n j. RunPercentage, ZonePercentage; 9ZK5, P30P."""
    return m.total / (m.by_size * m.size).sum(axis=1)


def level_variance(m: LevelBySize) -> Vector:
    """Variance of i. GrayLevelVariance; 8CE5, BYLV, 1PR3."""
    return _variance(m.by_level / m.total[:, np.newaxis], m.level)


def size_variance(m: LevelBySize) -> Vector:
    """Variance of j. RunVariance, ZoneVariance, DependenceVariance; SXLW, 3NSA, DNX2."""
    return _variance(m.by_size / m.total[:, np.newaxis], m.size)


def entropy(m: LevelBySize) -> Vector:
    """−Σ (n / N) log₂ (n / N). RunEntropy, ZoneEntropy, DependenceEntropy; HJ9O, GU8N, FCBV."""
    share = m.counts / m.total[:, np.newaxis, np.newaxis]
    return -(share * np.log2(share + EPS)).sum(axis=(1, 2))


def _joint(m: LevelBySize, level_weight: Vector, size_weight: Vector) -> Vector:
    return (m.counts * np.outer(level_weight, size_weight)).sum(axis=(1, 2)) / m.total


def _variance(share: Vector, value: Vector) -> Vector:
    mean = (share * value).sum(axis=1, keepdims=True)
    return (share * (value - mean) ** 2).sum(axis=1)
