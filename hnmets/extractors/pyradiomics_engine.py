"""PyRadiomics on one region: arrays in, named values out."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import radiomics
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from numpy.typing import NDArray
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry, Volume
from hnmets.extractors.radiomics_names import INTENSITY_AND_TEXTURE, SHAPE
from hnmets.extractors.radiomics_parameters import RadiomicsParameters, VoxelType
from hnmets.imaging.box import bounding_box

# A cubic B-spline coefficient feels a voxel at distance n by 0.268ⁿ: 5e-19 at 32 voxels.
_SPLINE_MARGIN_VOXELS = 32
_SILENT = 60

SitkImage = Any  # SimpleITK is untyped


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What PyRadiomics gave, and what it saw.

    Parameters
    ----------
    values
        By PyRadiomics' names; filters that do not fit into the box are absent.
    box
        Voxels (D, H, W) of the resampled, padded image that the filters saw.
    n_voxels
        Voxels of the region on the grid of the measurement.
    lowest_hu, highest_hu
        Within the region, on that grid.
    """

    values: Mapping[str, float]
    box: tuple[int, int, int]
    n_voxels: int
    lowest_hu: float
    highest_hu: float


def measure(ct: Volume, mask: NDArray[np.bool_], parameters: RadiomicsParameters) -> Measured:
    """Run PyRadiomics on one region, in one thread.

    Parameters
    ----------
    ct
        HU, int16 or float64.
    mask
        bool (D, H, W) on the grid of the CT, not empty.

    Raises
    ------
    CaseError
        If the region is too small, or PyRadiomics refuses it; its words are the detail.
    """
    with _quiet_single_thread():
        image, labelmap = _on_measurement_grid(ct, mask, parameters)
        try:
            imageoperations.checkMask(image, labelmap, minimumROIDimensions=2)
        except ValueError as error:
            raise CaseError(Code.REGION_SMALL, f"{error} (on the measurement grid)") from error
        try:
            found = _extractor(parameters).execute(image, labelmap)
        except ValueError as error:
            raise CaseError(Code.EXTRACTOR, f"PyRadiomics: {error}") from error
    hu = sitk.GetArrayViewFromImage(image)
    inside = hu[sitk.GetArrayViewFromImage(labelmap) == 1]
    return Measured(
        values={name: as_real(value) for name, value in found.items()},
        box=hu.shape,
        n_voxels=inside.size,
        lowest_hu=float(inside.min()),
        highest_hu=float(inside.max()),
    )


def as_real(value: complex) -> float:
    """Return the real part of a value.

    PyRadiomics takes the axes of a region by a general eigenvalue routine. Where axes are equally
    long, rounding makes a complex pair of them on some processors, with an imaginary part of
    1e-16; the covariance is symmetric, so that the true eigenvalues are real.

    Examples
    --------
    >>> as_real(np.complex128(2.5 - 1e-16j))
    2.5
    """
    return float(np.real(value))


def to_sitk(voxels: NDArray[np.generic], geometry: Geometry) -> SitkImage:
    """Return a SimpleITK image, whose sizes are (W, H, D), of a (D, H, W) array."""
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    return image


@contextmanager
def _quiet_single_thread() -> Iterator[None]:
    """Keep PyRadiomics off stderr and ITK on one thread, so that values have one order of sums.

    What PyRadiomics warns of reaches the root logger's handlers all the same.
    """
    radiomics.setVerbosity(_SILENT)
    logging.getLogger("radiomics").setLevel(logging.WARNING)
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        # 0/0 in a flat or tiny region gives NaN, which the row reports.
        with np.errstate(divide="ignore", invalid="ignore"):
            yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _on_measurement_grid(
    ct: Volume, mask: NDArray[np.bool_], parameters: RadiomicsParameters
) -> tuple[SitkImage, SitkImage]:
    """Resample with PyRadiomics' own function; image and mask end in the padded box.

    PyRadiomics lays its grid by the mask's geometry alone, so the image may be cropped before
    the costly spline filter and the mask may not. Whole HU hide the crop completely; float
    images, whose last bits would show in the LoG, go in whole.
    """
    labelmap = to_sitk(mask.astype(np.uint8), ct.geometry)
    voxels = _as_measured(ct.voxels, parameters.voxel_type)
    image = to_sitk(voxels, ct.geometry)
    spacing = parameters.spacing_dhw_mm
    if spacing is None:
        bounds, _ = imageoperations.checkMask(image, labelmap, minimumROIDimensions=0)
        cropped: tuple[SitkImage, SitkImage] = imageoperations.cropToTumorMask(
            image, labelmap, bounds, padDistance=parameters.pad_voxels
        )
        return cropped
    if voxels.dtype == np.int16:
        image = image[_window(mask, ct.geometry, spacing, parameters.pad_voxels)]
    resampled: tuple[SitkImage, SitkImage] = imageoperations.resampleImage(
        image,
        labelmap,
        resampledPixelSpacing=spacing[::-1],
        interpolator=f"sitk{parameters.interpolator}",
        padDistance=parameters.pad_voxels,
    )
    return resampled


def _as_measured(voxels: NDArray[np.generic], voxel_type: VoxelType) -> NDArray[np.generic]:
    """Return the voxels in the type that PyRadiomics shall see; fractions of HU in double."""
    if voxel_type == "float32":
        return voxels.astype(np.float32)
    return voxels if voxels.dtype == np.int16 else voxels.astype(np.float64)


def _window(
    mask: NDArray[np.bool_],
    geometry: Geometry,
    spacing_mm: tuple[float, float, float],
    pad_voxels: int,
) -> tuple[slice, ...]:
    """Return the (W, H, D) slices that hold the padded box and the reach of the spline."""
    box = bounding_box(mask)
    if box is None:
        raise CaseError(Code.REGION_EMPTY, "the region holds no voxel")
    slices = []
    for side, size, old, new in zip(
        box, geometry.shape, geometry.spacing_mm, spacing_mm, strict=True
    ):
        margin = _SPLINE_MARGIN_VOXELS + ceil((pad_voxels + 2) * new / old)
        slices.append(slice(max(side.start - margin, 0), min(side.stop + margin, size)))
    return tuple(reversed(slices))


def _extractor(parameters: RadiomicsParameters) -> RadiomicsFeatureExtractor:
    """Return the extractor without resampling: that is done before."""
    extractor = RadiomicsFeatureExtractor(
        binWidth=float(parameters.bin_width_hu),
        voxelArrayShift=parameters.voxel_array_shift_hu,
        wavelet=parameters.wavelet,
        sigma=[float(sigma) for sigma in parameters.log_sigmas_mm],
        additionalInfo=False,
    )
    extractor.disableAllImageTypes()
    for image in parameters.images:
        extractor.enableImageTypeByName(image)
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(
        shape=list(SHAPE), **{name: list(each) for name, each in INTENSITY_AND_TEXTURE.items()}
    )
    return extractor
