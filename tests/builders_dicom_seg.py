"""Segmentations of a CT, written by highdicom."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationTypeValues,
    SegmentDescription,
)
from highdicom.sr.coding import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.builders_dicom import uid

_TUMOUR = CodedConcept("86049000", "SCT", "Neoplasm, Primary")
_MORPHOLOGY = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")


def segmentation(
    ct: Sequence[Dataset],
    segments: Mapping[str, NDArray[Any]],
    *,
    kind: str = "BINARY",
    omit_empty_frames: bool = True,
) -> Dataset:
    """Write a segment per name: bool (D, H, W), or shares 0 to 1 for a fractional one."""
    stacked = np.stack([*segments.values()], axis=-1)
    pixels = stacked.astype(np.float32 if kind == "FRACTIONAL" else np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Segmentation(
            source_images=list(ct),
            pixel_array=pixels,
            segmentation_type=SegmentationTypeValues[kind],
            segment_descriptions=[
                _description(number, name) for number, name in enumerate(segments, start=1)
            ],
            series_instance_uid=uid(ct[0].SeriesInstanceUID, "seg", *segments),
            series_number=9,
            sop_instance_uid=uid(ct[0].SeriesInstanceUID, "seg object", *segments),
            instance_number=1,
            manufacturer="hnmets",
            manufacturer_model_name="tests",
            software_versions="1",
            device_serial_number="1",
            omit_empty_frames=omit_empty_frames,
        )


def _description(number: int, name: str) -> SegmentDescription:
    return SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=_MORPHOLOGY,
        segmented_property_type=_TUMOUR,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name="phantom",
            version="1",
            family=CodedConcept("123110", "DCM", "Artificial Intelligence"),
        ),
    )
