"""Run every compiled loop once for every type of CT, so that all are on disk afterwards."""

from dataclasses import replace

import numpy as np

from hnmets.domain.geometry import Geometry, Volume
from hnmets.extractors.fast_radiomics.engine import measure
from hnmets.extractors.radiomics_parameters import RadiomicsParameters

# Long enough along one axis that the spline works on a part of the CT.
_SHAPE = (8, 12, 120)
_TILTED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def compile_all() -> None:
    """Measure a few voxels of every type, on a straight and on a tilted grid."""
    hu = np.arange(np.prod(_SHAPE)).reshape(_SHAPE) * 7919 % 211
    mask = np.zeros(_SHAPE, dtype=np.bool_)
    mask[2:6, 3:8, 10:16] = True
    straight = Geometry(shape=_SHAPE, spacing_mm=(2.0, 1.0, 1.0))
    tilted = Geometry(shape=_SHAPE, spacing_mm=(2.0, 1.0, 1.0), direction=_TILTED)
    whole_hu = RadiomicsParameters(log_sigmas_mm=(1.0,))
    single = replace(whole_hu, voxel_type="float32")
    for parameters, dtype in ((whole_hu, np.int16), (whole_hu, np.float64), (single, np.int16)):
        for geometry in (straight, tilted):
            measure(Volume(voxels=hu.astype(dtype), geometry=geometry), mask, parameters)
