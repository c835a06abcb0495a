from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from hnmets.imaging.resample import linear, nearest
from tests.builders_cases import Triple

Array = NDArray[Any]
AIR = -1024.0


def along_d(*at: float) -> tuple[Array, Array, Array]:
    """Positions along the first axis; the other two axes hold one voxel."""
    return np.array(at), np.zeros(1), np.zeros(1)


def column(*values: float) -> Array:
    return np.array(values).reshape(-1, 1, 1)


def test_between_two_voxels_the_value_is_their_weighted_mean() -> None:
    # 0.75 · 10 + 0.25 · 30
    assert linear(column(10, 30), along_d(0.25), outside=AIR).item() == pytest.approx(15.0)


def test_half_a_voxel_behind_the_border_its_value_holds_and_then_there_is_air() -> None:
    sampled = linear(column(10, 30), along_d(-0.51, -0.5, 1.5, 1.51), outside=AIR)
    np.testing.assert_array_equal(sampled.ravel(), [AIR, 10, 30, AIR])


def test_a_position_half_way_takes_the_second_voxel_of_a_mask() -> None:
    sampled = nearest(column(False, True, False).astype(bool), along_d(0.49, 0.5, 1.49, 1.5))
    np.testing.assert_array_equal(sampled.ravel(), [False, True, True, False])


def test_outside_the_volume_a_mask_holds_nothing() -> None:
    sampled = nearest(column(True, True).astype(bool), along_d(-0.6, -0.5, 1.5, 1.6))
    np.testing.assert_array_equal(sampled.ravel(), [False, True, True, False])


@given(
    starts=st.tuples(*[st.floats(-4, 4)] * 3),
    steps=st.tuples(*[st.floats(0.2, 3)] * 3),
    seed=st.integers(0, 1000),
)
def test_three_interpolations_along_one_axis_are_one_trilinear_interpolation(
    starts: Triple, steps: Triple, seed: int
) -> None:
    volume = np.random.default_rng(seed).uniform(-1000, 1000, (5, 6, 7))
    d, h, w = (s + np.arange(4) * step for s, step in zip(starts, steps, strict=True))
    grid = np.meshgrid(d, h, w, indexing="ij")
    # scipy's `nearest` mode holds the border's value beyond it, as we do for half a voxel
    expected = ndimage.map_coordinates(volume, grid, order=1, mode="nearest")
    within = np.logical_and.reduce(
        [(g >= -0.5) & (g <= n - 0.5) for g, n in zip(grid, volume.shape, strict=True)]
    )
    expected[~within] = AIR
    np.testing.assert_allclose(linear(volume, (d, h, w), outside=AIR), expected, atol=1e-9)


def test_a_linear_field_is_reproduced_exactly() -> None:
    z, y, x = np.indices((6, 8, 10))
    field = 3.0 * z - 2.0 * y + 0.5 * x
    d, h, w = np.array([0.3, 4.9]), np.array([1.25, 6.5]), np.array([0.1, 8.8])
    expected = 3 * d[:, None, None] - 2 * h[None, :, None] + 0.5 * w[None, None, :]
    np.testing.assert_allclose(linear(field, (d, h, w), outside=AIR), expected, atol=1e-12)
