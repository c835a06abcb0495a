"""PyRadiomics called as its manual says, apart from everything in hnmets."""

from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from numpy.typing import NDArray
from radiomics.featureextractor import RadiomicsFeatureExtractor

from hnmets.domain.geometry import Volume

SitkImage = Any  # SimpleITK is untyped

# PyRadiomics' exampleCT.yaml and the four pointwise images.
CONFIGURATION: dict[str, Any] = {
    "imageType": {
        "Original": {},
        "LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]},
        "Wavelet": {},
        "Square": {},
        "SquareRoot": {},
        "Logarithm": {},
        "Exponential": {},
    },
    "featureClass": {
        "shape": None,
        "firstorder": None,
        "glcm": [
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
        ],
        "glrlm": None,
        "glszm": None,
        "gldm": None,
    },
    "setting": {
        "binWidth": 25,
        "interpolator": "sitkBSpline",
        "resampledPixelSpacing": [1, 1, 1],
        "padDistance": 10,
        "voxelArrayShift": 1000,
        "label": 1,
    },
}


def measure_directly(image: SitkImage, mask: SitkImage) -> dict[str, float]:
    """Features of two SimpleITK images, by PyRadiomics' names."""
    # Not as one dictionary: its validation warns of a module loader that Python 3.12 drops.
    extractor = RadiomicsFeatureExtractor(**CONFIGURATION["setting"])
    extractor.disableAllImageTypes()
    extractor.enableImageTypes(**CONFIGURATION["imageType"])
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(**CONFIGURATION["featureClass"])
    found = extractor.execute(image, mask)
    return {k: float(np.real(v)) for k, v in found.items() if not k.startswith("diagnostics_")}


def as_images(ct: Volume, mask: NDArray[np.bool_]) -> tuple[SitkImage, SitkImage]:
    """SimpleITK images of a CT and a mask on its grid."""
    images = [sitk.GetImageFromArray(ct.voxels), sitk.GetImageFromArray(mask.astype(np.uint8))]
    for image in images:
        image.SetSpacing(ct.geometry.spacing_mm[::-1])
        image.SetOrigin(ct.geometry.origin_mm)
        image.SetDirection(ct.geometry.direction)
    return images[0], images[1]
