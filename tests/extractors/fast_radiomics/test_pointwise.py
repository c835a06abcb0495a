import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import imageoperations

from hnmets.extractors.fast_radiomics.pointwise import IMAGES, Extremes
from hnmets.extractors.radiomics_names import ImageType
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import HU

POINTWISE: tuple[ImageType, ...] = ("Square", "SquareRoot", "Logarithm", "Exponential")


@given(
    kind=st.sampled_from(["soft tissue", "noise", "two levels", "constant", "fractions"]),
    dtype=st.sampled_from([np.int16, np.float32, np.float64]),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_voxel_has_pyradiomics_bits(kind: str, dtype: type[np.generic], seed: int) -> None:
    rng = np.random.default_rng(seed)
    voxels = HU[kind]((7, 6, 9), rng).astype(dtype)
    inside = voxels[2:5, 1:4, 3:8].astype(np.float64)
    extremes = Extremes(lowest=float(voxels.min()), highest=float(voxels.max()))
    for name in POINTWISE:
        find = getattr(imageoperations, f"get{name}Image")
        [(theirs, _, _)] = find(sitk.GetImageFromArray(voxels), None)
        oracle.assert_same_bits(
            IMAGES[name](inside, extremes), sitk.GetArrayFromImage(theirs)[2:5, 1:4, 3:8]
        )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # c = 100, the largest magnitude: v²/c, ±√(c|v|), ±c log(|v| + 1)/log(101), c^(v/c).
        ("Square", [100.0, 0.0, 0.25, 25.0]),
        ("SquareRoot", [-100.0, 0.0, 22.360679775, 70.710678119]),
        ("Logarithm", [-100.0, 0.0, 38.8236767, 85.1944303]),
        ("Exponential", [0.01, 1.0, 1.258925412, 10.0]),
    ],
)
def test_images_are_worked_out_by_hand(name: ImageType, expected: list[float]) -> None:
    values = np.array([-100.0, 0.0, 5.0, 50.0])
    found = IMAGES[name](values, Extremes(lowest=-100.0, highest=50.0))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_the_input_is_left_alone() -> None:
    for name in POINTWISE:
        values = np.array([-3.0, 7.0])
        IMAGES[name](values, Extremes(lowest=-3.0, highest=7.0))
        assert values.tolist() == [-3.0, 7.0]
