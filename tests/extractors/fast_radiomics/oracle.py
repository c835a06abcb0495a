"""What ITK and PyRadiomics say of arrays, as arrays."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from radiomics import cMatrices, imageoperations

from hnmets.domain.geometry import Volume
from hnmets.extractors.fast_radiomics.discretisation import Levels
from hnmets.extractors.fast_radiomics.neighbourhood import DIRECTIONS, Texture, neighbourhood_of
from hnmets.extractors.measurement import box_of
from hnmets.extractors.pyradiomics_engine import to_sitk
from hnmets.imaging.box import Box

Mask = NDArray[np.bool_]
Triple = tuple[float, float, float]
SitkImage = Any  # SimpleITK is untyped


def assert_same_bits(mine: NDArray[np.generic], theirs: NDArray[np.generic]) -> None:
    """Check type, shape and every bit, but for the sign of a zero."""
    assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_array_equal(mine, theirs)


def resampled(
    ct: Volume, mask: Mask, spacing_mm: Triple, *, pad_voxels: int
) -> tuple[SitkImage, SitkImage]:
    """Return image and labelmap from PyRadiomics' own resampling."""
    images: tuple[SitkImage, SitkImage] = imageoperations.resampleImage(
        to_sitk(ct.voxels, ct.geometry),
        to_sitk(mask.astype(np.uint8), ct.geometry),
        resampledPixelSpacing=spacing_mm[::-1],
        interpolator="sitkBSpline",
        padDistance=pad_voxels,
    )
    return images


def some_box(shape: tuple[int, ...], rng: np.random.Generator) -> Box:
    """Return a box inside a shape, often at its border."""
    ends = [np.sort(rng.choice(n + 1, 2, replace=False)) for n in shape]
    d, h, w = (slice(int(low), int(high)) for low, high in ends)
    return d, h, w


def texture_of(levels: NDArray[np.int64], mask: Mask) -> Texture:
    """Return a region of the grey levels given, from 1; the mask is cropped to the region."""
    inside = levels[mask]
    present, rank, counts = np.unique(inside, return_inverse=True, return_counts=True)
    return Texture(
        region=neighbourhood_of(mask),
        levels=Levels(present=present, rank=(rank + 1).astype(np.uint16), counts=counts),
    )


def own_mask(mask: Mask) -> Mask:
    """Return the mask alone in its box."""
    return np.ascontiguousarray(mask[box_of(mask)])


def _by_direction(
    matrices: NDArray[np.float64], angles: Iterable[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Put PyRadiomics' angles (last axis) into this package's order of directions (first)."""
    ordered = np.zeros((len(DIRECTIONS), *matrices.shape[:-1]))
    for place, angle in enumerate(angles):
        direction = tuple(int(step) for step in angle)
        opposite = (-direction[0], -direction[1], -direction[2])
        known = direction if direction in DIRECTIONS else opposite
        ordered[DIRECTIONS.index(known)] = matrices[..., place]
    return ordered


def glcm(levels: NDArray[np.int64], mask: Mask) -> NDArray[np.float64]:
    """Return symmetric counts, shape (13, Ng, Ng)."""
    highest = int(levels[mask].max())
    [found], angles = cMatrices.calculate_glcm(levels, mask, np.array([1]), highest, False, 0)
    return _by_direction(found + found.transpose(1, 0, 2), angles)


def glrlm(levels: NDArray[np.int64], mask: Mask) -> NDArray[np.float64]:
    """Return counts, shape (13, Ng, longest)."""
    highest, longest = int(levels[mask].max()), max(mask.shape)
    [found], angles = cMatrices.calculate_glrlm(levels, mask, highest, longest, False, 0)
    return _by_direction(found, angles)


def glszm(levels: NDArray[np.int64], mask: Mask) -> NDArray[np.float64]:
    """Return counts, shape (Ng, largest zone)."""
    highest, n_voxels = int(levels[mask].max()), int(mask.sum())
    [found] = cMatrices.calculate_glszm(levels, mask, highest, n_voxels, False, 0)
    return found  # type: ignore[no-any-return]  # the C extension is untyped


def gldm(levels: NDArray[np.int64], mask: Mask) -> NDArray[np.float64]:
    """Return counts, shape (Ng, dependences from 1)."""
    highest = int(levels[mask].max())
    [found] = cMatrices.calculate_gldm(levels, mask, np.array([1]), highest, 0, False, 0)
    return found  # type: ignore[no-any-return]  # the C extension is untyped
