"""The fixed names of the radiomic features: a region too thin for a filter keeps its columns."""

from collections.abc import Sequence
from typing import Literal

ImageType = Literal[
    "Original", "LoG", "Wavelet", "Square", "SquareRoot", "Logarithm", "Exponential"
]

ALL_IMAGES: tuple[ImageType, ...] = (
    "Original",
    "LoG",
    "Wavelet",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
)

# PyWavelets' order of the detail bands; PyRadiomics gives the approximation last.
_WAVELET_BANDS = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")

SHAPE = (
    "Elongation",
    "Flatness",
    "LeastAxisLength",
    "MajorAxisLength",
    "Maximum2DDiameterColumn",
    "Maximum2DDiameterRow",
    "Maximum2DDiameterSlice",
    "Maximum3DDiameter",
    "MeshVolume",
    "MinorAxisLength",
    "Sphericity",
    "SurfaceArea",
    "SurfaceVolumeRatio",
    "VoxelVolume",
)

INTENSITY_AND_TEXTURE: dict[str, tuple[str, ...]] = {
    "firstorder": (
        "10Percentile",
        "90Percentile",
        "Energy",
        "Entropy",
        "InterquartileRange",
        "Kurtosis",
        "Maximum",
        "MeanAbsoluteDeviation",
        "Mean",
        "Median",
        "Minimum",
        "Range",
        "RobustMeanAbsoluteDeviation",
        "RootMeanSquared",
        "Skewness",
        "TotalEnergy",
        "Uniformity",
        "Variance",
    ),
    # Without SumAverage, which is twice JointAverage, and without MCC.
    "glcm": (
        "Autocorrelation",
        "JointAverage",
        "ClusterProminence",
        "ClusterShade",
        "ClusterTendency",
        "Contrast",
        "Correlation",
        "DifferenceAverage",
        "DifferenceEntropy",
        "DifferenceVariance",
        "JointEnergy",
        "JointEntropy",
        "Imc1",
        "Imc2",
        "Idm",
        "Idmn",
        "Id",
        "Idn",
        "InverseVariance",
        "MaximumProbability",
        "SumEntropy",
        "SumSquares",
    ),
    "glrlm": (
        "GrayLevelNonUniformity",
        "GrayLevelNonUniformityNormalized",
        "GrayLevelVariance",
        "HighGrayLevelRunEmphasis",
        "LongRunEmphasis",
        "LongRunHighGrayLevelEmphasis",
        "LongRunLowGrayLevelEmphasis",
        "LowGrayLevelRunEmphasis",
        "RunEntropy",
        "RunLengthNonUniformity",
        "RunLengthNonUniformityNormalized",
        "RunPercentage",
        "RunVariance",
        "ShortRunEmphasis",
        "ShortRunHighGrayLevelEmphasis",
        "ShortRunLowGrayLevelEmphasis",
    ),
    "glszm": (
        "GrayLevelNonUniformity",
        "GrayLevelNonUniformityNormalized",
        "GrayLevelVariance",
        "HighGrayLevelZoneEmphasis",
        "LargeAreaEmphasis",
        "LargeAreaHighGrayLevelEmphasis",
        "LargeAreaLowGrayLevelEmphasis",
        "LowGrayLevelZoneEmphasis",
        "SizeZoneNonUniformity",
        "SizeZoneNonUniformityNormalized",
        "SmallAreaEmphasis",
        "SmallAreaHighGrayLevelEmphasis",
        "SmallAreaLowGrayLevelEmphasis",
        "ZoneEntropy",
        "ZonePercentage",
        "ZoneVariance",
    ),
    "gldm": (
        "DependenceEntropy",
        "DependenceNonUniformity",
        "DependenceNonUniformityNormalized",
        "DependenceVariance",
        "GrayLevelNonUniformity",
        "GrayLevelVariance",
        "HighGrayLevelEmphasis",
        "LargeDependenceEmphasis",
        "LargeDependenceHighGrayLevelEmphasis",
        "LargeDependenceLowGrayLevelEmphasis",
        "LowGrayLevelEmphasis",
        "SmallDependenceEmphasis",
        "SmallDependenceHighGrayLevelEmphasis",
        "SmallDependenceLowGrayLevelEmphasis",
    ),
}


def image_names(images: Sequence[ImageType], log_sigmas_mm: Sequence[float]) -> tuple[str, ...]:
    """Names of the images that the features are measured on, as PyRadiomics writes them.

    Examples
    --------
    >>> image_names(("Original", "LoG"), (1.0, 2.5))
    ('original', 'log-sigma-1-0-mm-3D', 'log-sigma-2-5-mm-3D')
    """
    names: list[str] = []
    for image in images:
        if image == "LoG":
            names += map(log_name, log_sigmas_mm)
        elif image == "Wavelet":
            names += map(wavelet_name, _WAVELET_BANDS)
        else:
            names.append(image.lower())
    return tuple(names)


def log_name(sigma_mm: float) -> str:
    """Name of a Laplacian of Gaussian image."""
    return f"log-sigma-{str(float(sigma_mm)).replace('.', '-')}-mm-3D"


def wavelet_name(band: str) -> str:
    """Name of a sub-band."""
    return f"wavelet-{band}"


def column_names(images: Sequence[ImageType], log_sigmas_mm: Sequence[float]) -> tuple[str, ...]:
    """Names of all features in PyRadiomics' order: shape, then 86 per image.

    Examples
    --------
    >>> len(column_names(ALL_IMAGES, (1.0, 2.0, 3.0, 4.0, 5.0)))
    1562
    """
    shape = tuple(f"original_shape_{feature}" for feature in SHAPE)
    measured = tuple(
        f"{image}_{family}_{feature}"
        for image in image_names(images, log_sigmas_mm)
        for family, features in INTENSITY_AND_TEXTURE.items()
        for feature in features
    )
    return shape + measured
