"""All features of one region: resample, filter, discretise, count, and apply the formulas."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.extractors.fast_radiomics import (
    cooccurrence,
    dependence,
    first_order,
    pointwise,
    run_length,
    shape,
    size_zone,
)
from hnmets.extractors.fast_radiomics.discretisation import Levels, bin_edges, discretised
from hnmets.extractors.fast_radiomics.laplacian import fits, laplacian_of_gaussian, reach
from hnmets.extractors.fast_radiomics.lattice import Lattice, cropped, lattice_around
from hnmets.extractors.fast_radiomics.memory import require_levels, require_room
from hnmets.extractors.fast_radiomics.neighbourhood import Texture, neighbourhood_of
from hnmets.extractors.fast_radiomics.pointwise import Extremes
from hnmets.extractors.fast_radiomics.resampling import resampled_image, resampled_mask
from hnmets.extractors.fast_radiomics.wavelet import wavelet_bands
from hnmets.extractors.measurement import Measured, as_measured, box_of
from hnmets.extractors.radiomics_names import log_name, wavelet_name
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.imaging.box import Box, within

Values = NDArray[np.generic]
Vector = NDArray[np.float64]


class NotCoveredError(Exception):
    """The region needs something that PyRadiomics has to decide."""


def measure(
    ct: Volume,
    mask: NDArray[np.bool_],
    parameters: RadiomicsParameters,
    *,
    memory_gib: float = np.inf,
) -> Measured:
    """Measure one region as PyRadiomics would.

    Parameters
    ----------
    ct
        HU, int16 or float64.
    mask
        bool (D, H, W) on the grid of the CT, not empty.
    memory_gib
        What the process may use.

    Raises
    ------
    CaseError
        If the region is too small, or too large for the memory.
    NotCoveredError
        If a filtered image is not finite, or a grey level falls out of the bins.
    """
    # 0/0 in a flat or tiny region gives NaN, which the row reports.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _measured(ct, mask, parameters, memory_gib)


def _measured(
    ct: Volume, mask: NDArray[np.bool_], parameters: RadiomicsParameters, memory_gib: float
) -> Measured:
    lattice = _lattice(ct, mask, parameters)
    require_room(
        _worked_on(ct, mask, lattice, parameters),
        int(np.count_nonzero(mask)),
        ct_bytes=ct.voxels.nbytes + 2 * mask.nbytes,
        limit_gib=memory_gib,
    )
    on_lattice = resampled_mask(mask, lattice)
    image = resampled_image(as_measured(ct.voxels, parameters.voxel_type), lattice)
    box = _sound_box(on_lattice)
    region = on_lattice[box]
    values = _shape(region, lattice)
    neighbourhood = neighbourhood_of(region)
    for name, inside in _images(image, box, region, lattice, parameters):
        levels = _levels(name, inside, parameters, memory_gib)
        texture = Texture(region=neighbourhood, levels=levels)
        values |= _of_image(name, inside, texture, lattice, parameters)
    original = image[box][region]
    return Measured(
        values=values,
        box=lattice.shape,
        n_voxels=original.size,
        lowest_hu=float(original.min()),
        highest_hu=float(original.max()),
    )


def _lattice(ct: Volume, mask: NDArray[np.bool_], parameters: RadiomicsParameters) -> Lattice:
    box = box_of(mask)
    if parameters.filter_extent == "image":
        return cropped(box, ct.geometry, pad_voxels=max(ct.geometry.shape))
    if parameters.spacing_dhw_mm is None:
        return cropped(box, ct.geometry, pad_voxels=parameters.pad_voxels)
    return lattice_around(
        box, ct.geometry, spacing_mm=parameters.spacing_dhw_mm, pad_voxels=parameters.pad_voxels
    )


def _worked_on(
    ct: Volume, mask: NDArray[np.bool_], lattice: Lattice, parameters: RadiomicsParameters
) -> Lattice:
    """Return what the filters hold in memory: of a whole CT the part that counts."""
    if parameters.filter_extent == "box":
        return lattice
    d, h, w = reach(
        box_of(mask),
        ct.geometry.shape,
        lattice.spacing_mm,
        max(parameters.log_sigmas_mm, default=0.0),
    )
    return replace(lattice, shape=(d.stop - d.start, h.stop - h.start, w.stop - w.start))


def _sound_box(mask: NDArray[np.bool_]) -> Box:
    """Return the box of the region on the lattice.

    Raises
    ------
    CaseError
        In PyRadiomics' words, if the region lost its voxels or has fewer than two dimensions.
    """
    place = "(on the measurement grid)"
    if not mask.any():
        raise CaseError(Code.REGION_SMALL, f"Label (1) not present in mask {place}")
    box = box_of(mask)
    dimensions = sum(side.stop - side.start > 1 for side in box)
    if dimensions == 0:
        what = "mask only contains 1 segmented voxel! Cannot extract features for a single voxel."
        raise CaseError(Code.REGION_SMALL, f"{what} {place}")
    if dimensions < 2:
        what = "mask has too few dimensions (number of dimensions 1, minimum required 2)"
        raise CaseError(Code.REGION_SMALL, f"{what} {place}")
    return box


def _images(
    image: Values,
    box: Box,
    region: NDArray[np.bool_],
    lattice: Lattice,
    parameters: RadiomicsParameters,
) -> Iterator[tuple[str, Values]]:
    """Yield each image's name and its voxels inside the region."""
    inside = image[box][region]
    for kind in parameters.images:
        if kind == "Original":
            yield kind.lower(), inside
        elif kind == "LoG":
            for sigma in parameters.log_sigmas_mm:
                if fits(image.shape, lattice.spacing_mm, sigma):
                    seen = _seen(image, box, sigma, lattice, parameters)
                    found = laplacian_of_gaussian(
                        image[seen],
                        within(box, seen),
                        sigma_mm=sigma,
                        spacing_mm=lattice.spacing_mm,
                    )
                    yield log_name(sigma), found[region]
        elif kind == "Wavelet":
            bands = wavelet_bands(image, box, wavelet=parameters.wavelet)
            yield from ((wavelet_name(band), values[region]) for band, values in bands.items())
        else:
            extremes = Extremes(lowest=float(image.min()), highest=float(image.max()))
            yield kind.lower(), pointwise.IMAGES[kind](inside.astype(np.float64), extremes)


def _seen(
    image: Values, box: Box, sigma_mm: float, lattice: Lattice, parameters: RadiomicsParameters
) -> Box:
    """Return what the Laplacian sees: all of a box, of a whole CT the part that counts."""
    if parameters.filter_extent == "box":
        d, h, w = image.shape
        return slice(0, d), slice(0, h), slice(0, w)
    return reach(box, image.shape, lattice.spacing_mm, sigma_mm)


_TEXTURE: tuple[tuple[str, Callable[..., Any], Mapping[str, Callable[[Any], Vector]]], ...] = (
    ("glcm", cooccurrence.cooccurrence_of, cooccurrence.FEATURES),
    ("glrlm", run_length.run_length_of, run_length.FEATURES),
    ("glszm", size_zone.size_zone_of, size_zone.FEATURES),
    ("gldm", dependence.dependence_of, dependence.FEATURES),
)


def _levels(
    name: str, inside: Values, parameters: RadiomicsParameters, memory_gib: float
) -> Levels:
    if not np.isfinite(inside).all():
        raise NotCoveredError(f"image {name} is not finite")
    width = float(parameters.bin_width_hu)
    try:
        levels = discretised(inside, bin_edges(inside, width=width, count=parameters.bin_count))
    except ValueError as error:
        raise NotCoveredError(f"image {name}: {error}") from error
    require_levels(levels.present.size, limit_gib=memory_gib)
    return levels


def _of_image(
    name: str,
    inside: Values,
    texture: Texture,
    lattice: Lattice,
    parameters: RadiomicsParameters,
) -> dict[str, float]:
    d, h, w = lattice.spacing_mm
    intensities = first_order.Intensities(
        values=inside.astype(np.float64),
        shift=parameters.voxel_array_shift_hu,
        voxel_volume_mm3=w * h * d,
        level_counts=texture.levels.counts,
    )
    found = {
        f"{name}_firstorder_{feature}": formula(intensities)
        for feature, formula in first_order.FEATURES.items()
    }
    for family, matrices_of, formulas in _TEXTURE:
        matrices = matrices_of(texture)
        by_direction = np.array([formula(matrices) for formula in formulas.values()])
        means = _mean(by_direction).tolist()
        found |= {f"{name}_{family}_{f}": v for f, v in zip(formulas, means, strict=True)}
    return found


def _shape(region: NDArray[np.bool_], lattice: Lattice) -> dict[str, float]:
    form = shape.form_of(region, lattice.spacing_mm)
    return {
        f"original_shape_{feature}": formula(form) for feature, formula in shape.FEATURES.items()
    }


def _mean(by_direction: Vector) -> Vector:
    """Return the mean over the directions that gave a number; NaN where none did.

    Parameters
    ----------
    by_direction
        Shape (features, directions).
    """
    missing = np.isnan(by_direction)
    if not missing.any():
        return by_direction.sum(axis=1) / by_direction.shape[1]
    return np.where(missing, 0, by_direction).sum(axis=1) / (~missing).sum(axis=1)
