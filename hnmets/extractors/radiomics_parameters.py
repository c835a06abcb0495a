"""The settings of a radiomics extraction."""

from dataclasses import dataclass
from typing import Literal

from feature_store.recipe import Json
from hnmets.extractors.radiomics_names import ALL_IMAGES, ImageType, column_names

VoxelType = Literal["int16", "float32"]
Engine = Literal["fast", "pyradiomics"]
FilterExtent = Literal["box", "image"]
SpacingMm = float | tuple[float, float, float] | Literal["native"]


@dataclass(frozen=True, kw_only=True)
class RadiomicsParameters:
    """How the intensities are resampled, filtered and binned; the defaults give 1562 features.

    Parameters
    ----------
    engine
        `fast` computes PyRadiomics' values itself, many times as fast; what it does not cover
        (interpolators other than B-spline) is measured by `pyradiomics` all the same.
    bin_width_hu
        Width of the grey level bins, whose edges are multiples of it.
    bin_count
        Number of bins between the extremes of the region instead of a width.
    spacing_mm
        Voxel size of the measurement: one number, (D, H, W), or `native` for no resampling.
    interpolator
        For the image; the mask takes its nearest neighbour.
    pad_voxels
        The filters see the box around the region and this many resampled voxels beside it.
    filter_extent
        `image` lets the filters see the whole CT, as PyRadiomics does without resampling; it
        needs `native` spacing.
    voxel_array_shift_hu
        Added before energies are computed, so that air does not count like bone.
    log_sigmas_mm
        Widths of the Laplacian of Gaussian.
    wavelet
        Mother wavelet, by PyWavelets' name.
    images
        The original image and the filtered ones to measure.
    voxel_type
        PyRadiomics' values depend on the type of the voxels: it rounds `int16` after
        resampling, as the IBSI recommends for CT, and computes wavelets of `float32` in single
        precision. By default a CT of whole HU is int16 however its file stores it, so that
        centres agree; `float32` gives the values of a PyRadiomics run on files of float32.

    Examples
    --------
    >>> len(RadiomicsParameters().columns)
    1562
    """

    engine: Engine = "fast"
    bin_width_hu: float = 25.0
    bin_count: int | None = None
    spacing_mm: SpacingMm = 1.0
    interpolator: Literal["BSpline", "Linear", "NearestNeighbor"] = "BSpline"
    pad_voxels: int = 10
    filter_extent: FilterExtent = "box"
    voxel_array_shift_hu: float = 1000.0
    log_sigmas_mm: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)
    wavelet: str = "coif1"
    images: tuple[ImageType, ...] = ALL_IMAGES
    voxel_type: VoxelType = "int16"

    def __post_init__(self) -> None:
        spacing = self.spacing_dhw_mm or (1.0,)
        if min(self.bin_width_hu, *spacing, *self.log_sigmas_mm) <= 0:
            raise ValueError("bin_width_hu, spacing_mm and log_sigmas_mm must be above 0")
        if self.pad_voxels < 0:
            raise ValueError(f"pad_voxels is {self.pad_voxels}, must not be negative")
        if self.bin_count is not None and self.bin_count < 1:
            raise ValueError(f"bin_count is {self.bin_count}, must be at least 1")
        if self.filter_extent == "image" and self.spacing_mm != "native":
            raise ValueError('filter_extent = "image" needs spacing_mm = "native"')
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("an image or a sigma is named twice")

    @property
    def spacing_dhw_mm(self) -> tuple[float, float, float] | None:
        """Voxel size along (D, H, W), mm; None where the image is not resampled."""
        if self.spacing_mm == "native":
            return None
        if isinstance(self.spacing_mm, tuple):
            d, h, w = self.spacing_mm
            return float(d), float(h), float(w)
        return (float(self.spacing_mm),) * 3

    @property
    def engine_in_use(self) -> Engine:
        """The engine that measures: what the fast one does not cover goes to PyRadiomics."""
        if self.spacing_mm != "native" and self.interpolator != "BSpline":
            return "pyradiomics"
        return self.engine

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features in their fixed order."""
        return column_names(self.images, self.log_sigmas_mm)

    @property
    def identity(self) -> dict[str, Json]:
        """The settings as JSON; 25 and 25.0, or 1.0 and (1.0, 1.0, 1.0), are the same."""
        spacing = self.spacing_dhw_mm
        return {
            "engine": self.engine_in_use,
            "bin_width_hu": float(self.bin_width_hu),
            "bin_count": self.bin_count,
            "spacing_mm": "native" if spacing is None else list(spacing),
            "interpolator": self.interpolator,
            "pad_voxels": self.pad_voxels,
            "filter_extent": self.filter_extent,
            "voxel_array_shift_hu": float(self.voxel_array_shift_hu),
            "log_sigmas_mm": [float(sigma) for sigma in self.log_sigmas_mm],
            "wavelet": self.wavelet,
            "images": list(self.images),
            "voxel_type": self.voxel_type,
        }
