"""Laws that hold for PyRadiomics, and so for the engine: where a region lies does not matter."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hnmets.domain.region import DrawnRegion
from hnmets.extractors.fast_radiomics.engine import measure
from hnmets.extractors.measurement import Measured
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from tests.builders_cases import ball, imaged_case, texture
from tests.extractors.fast_radiomics.comparison import deviations
from tests.extractors.fast_radiomics.phantoms import Triple, volume

NATIVE = RadiomicsParameters(spacing_mm="native", pad_voxels=4, log_sigmas_mm=(1.0, 2.0))
SPACING_MM: Triple = (2.5, 0.9, 1.3)
SHAPE = (20, 26, 28)
HU = texture(SHAPE)
REGION = ball(SHAPE, centre=(9, 12, 14), radius_mm=7, spacing_mm=SPACING_MM)
# A dent and a part of its own, so that no orientation maps the region onto itself.
REGION[9:, 13:, 16:] = False
REGION[4:7, 20:22, 8:12] = True


def measured(
    hu: NDArray[np.generic],
    mask: NDArray[np.bool_],
    parameters: RadiomicsParameters = NATIVE,
    spacing_mm: Triple = SPACING_MM,
) -> Measured:
    return measure(volume(hu, spacing_mm), mask, parameters)


# The diameters within a plane follow the axis that the plane lies across: D, H, W.
PLANES = ("Slice", "Column", "Row")


@pytest.mark.parametrize("flips", list(product((False, True), repeat=3)))
@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_the_original_image_may_stand_in_any_of_48_orientations(
    axes: tuple[int, int, int], flips: tuple[bool, ...]
) -> None:
    original = replace(NATIVE, images=("Original",))
    flipped = [axis for axis, flip in enumerate(flips) if flip]
    hu, mask = (np.flip(array.transpose(axes), flipped).copy() for array in (HU, REGION))
    d, h, w = (SPACING_MM[axis] for axis in axes)
    turned = dict(measured(hu, mask, original, (d, h, w)).values)
    straight = dict(measured(HU, REGION, original).values)
    prefix = "original_shape_Maximum2DDiameter"
    planes = {PLANES[axis]: turned[prefix + PLANES[place]] for place, axis in enumerate(axes)}
    turned |= {prefix + plane: value for plane, value in planes.items()}
    assert deviations(turned, straight) == {}


@pytest.mark.parametrize("extent", ["box", "image"])
def test_moving_everything_by_whole_voxels_changes_no_bit(extent: str) -> None:
    frame = 30 if extent == "image" else 8  # beyond it nothing reaches the region
    hu, mask = np.pad(HU, frame, mode="edge"), np.pad(REGION, frame)
    parameters = replace(NATIVE, filter_extent=extent)
    shift = (3, -2, 5)
    moved = measured(
        np.roll(hu, shift, axis=(0, 1, 2)), np.roll(mask, shift, axis=(0, 1, 2)), parameters
    )
    still = measured(hu, mask, parameters)
    rel = 1e-6 if extent == "image" else 0.0
    assert deviations(moved.values, still.values, rel=rel) == {}


def test_moving_by_whole_new_voxels_changes_nothing_after_resampling_either() -> None:
    parameters = RadiomicsParameters(log_sigmas_mm=(1.0, 2.0))
    spacing_mm = (2.0, 1.0, 1.0)
    hu, mask = np.pad(HU, 40, mode="edge"), np.pad(REGION, 40)
    shift = (3, -2, 4)
    still = measured(hu, mask, parameters, spacing_mm)
    moved = measured(
        np.roll(hu, shift, (0, 1, 2)), np.roll(mask, shift, (0, 1, 2)), parameters, spacing_mm
    )
    assert deviations(moved.values, still.values) == {}


def test_what_lies_beyond_the_margin_of_the_box_changes_no_bit() -> None:
    alone = measured(HU, REGION)
    box_only = np.pad(HU, 6, constant_values=30_000)
    places = [np.flatnonzero(REGION.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
    inside = tuple(
        slice(max(int(p[0]) - 4, 0) + 6, min(int(p[-1]) + 5, n) + 6)
        for p, n in zip(places, SHAPE, strict=True)
    )
    metal = np.full(box_only.shape, 30_000, np.int16)
    metal[inside] = box_only[inside]
    # The margin is cut at the border of the CT; here it is nowhere.
    assert all(p[0] >= 4 and p[-1] + 4 < n for p, n in zip(places, SHAPE, strict=True))
    assert measured(metal, np.pad(REGION, 6)) == alone


def test_regions_do_not_know_of_each_other() -> None:
    radiomics = Radiomics(region="tumour", rule=DrawnRegion(mask=""), parameters=NATIVE)
    other = ball(SHAPE, centre=(10, 8, 8), radius_mm=5, spacing_mm=SPACING_MM)

    def rows(*masks: NDArray[np.bool_]) -> list[bytes]:
        case = imaged_case(hu=HU, masks={"tumour": masks}, spacing_mm=SPACING_MM)
        return [row.values.tobytes() for row in radiomics.extract(case)]

    (first,), (second,) = rows(REGION), rows(other)
    assert first != second
    assert rows(REGION, other) == [first, second]
    assert rows(other, REGION) == [second, first]
    assert rows(REGION, REGION) == [first, first]


DIGEST = """
import hashlib
import numpy as np
from hnmets.extractors.fast_radiomics.engine import measure
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from tests.builders_cases import ball_case
case = ball_case()
found = measure(case.ct, case.regions["tumour"][0].mask, RadiomicsParameters()).values
print(hashlib.sha256(np.array(list(found.values())).tobytes()).hexdigest())
"""


def test_processes_and_threads_give_the_same_bytes() -> None:
    def digest(threads: int) -> str:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", DIGEST],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONHASHSEED": "7"},
        )
        assert done.stderr == ""
        return done.stdout.strip()

    one = digest(1)
    assert len(one) == hashlib.sha256().digest_size * 2
    assert digest(1) == one
    assert digest(4) == one
