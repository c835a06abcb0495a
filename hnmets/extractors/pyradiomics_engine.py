"""PyRadiomics on one region: arrays in, named values out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import radiomics
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from numpy.typing import NDArray
from radiomics import imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry, Volume
from hnmets.extractors.measurement import Measured, as_measured
from hnmets.extractors.radiomics_names import INTENSITY_AND_TEXTURE, SHAPE
from hnmets.extractors.radiomics_parameters import RadiomicsParameters

_SILENT = 60

SitkImage = Any  # SimpleITK is untyped


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

    The whole CT goes in, although the spline filter is costly: where the grids meet, an
    interpolated value is a whole number give or take a rounding error, ITK truncates it, and
    with a crop the error may have the other sign.
    """
    labelmap = to_sitk(mask.astype(np.uint8), ct.geometry)
    voxels = as_measured(ct.voxels, parameters.voxel_type)
    image = to_sitk(voxels, ct.geometry)
    spacing = parameters.spacing_dhw_mm
    if parameters.filter_extent == "image":
        return image, labelmap
    if spacing is None:
        bounds, _ = imageoperations.checkMask(image, labelmap, minimumROIDimensions=0)
        cropped: tuple[SitkImage, SitkImage] = imageoperations.cropToTumorMask(
            image, labelmap, bounds, padDistance=parameters.pad_voxels
        )
        return cropped
    resampled: tuple[SitkImage, SitkImage] = imageoperations.resampleImage(
        image,
        labelmap,
        resampledPixelSpacing=spacing[::-1],
        interpolator=f"sitk{parameters.interpolator}",
        padDistance=parameters.pad_voxels,
    )
    return resampled


def _extractor(parameters: RadiomicsParameters) -> RadiomicsFeatureExtractor:
    """Return the extractor without resampling: that is done before."""
    extractor = RadiomicsFeatureExtractor(
        binWidth=float(parameters.bin_width_hu),
        binCount=parameters.bin_count,
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
