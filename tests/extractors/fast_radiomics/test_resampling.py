from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hnmets.domain.geometry import Volume
from hnmets.extractors.fast_radiomics import resampling, spline
from hnmets.extractors.fast_radiomics.lattice import lattice_around
from hnmets.extractors.fast_radiomics.resampling import resampled_image, resampled_mask
from hnmets.extractors.measurement import as_measured, box_of
from hnmets.imaging.box import Box
from tests.extractors.fast_radiomics import oracle
from tests.extractors.fast_radiomics.phantoms import (
    DIRECTIONS,
    STRAIGHT,
    TILTED,
    Mask,
    Phantom,
    Shape,
    Triple,
    phantoms,
    volume,
)

ODD_MM = (3.27, 0.9765625, 1.0)


def assert_resampled_as_pyradiomics_does(
    ct: Volume, mask: Mask, spacing_mm: Triple, *, pad_voxels: int = 10
) -> None:
    image, labelmap = oracle.resampled(ct, mask, spacing_mm, pad_voxels=pad_voxels)
    lattice = lattice_around(
        box_of(mask), ct.geometry, spacing_mm=spacing_mm, pad_voxels=pad_voxels
    )
    oracle.assert_same_bits(resampled_image(ct.voxels, lattice), sitk.GetArrayFromImage(image))
    oracle.assert_same_bits(
        resampled_mask(mask, lattice), sitk.GetArrayFromImage(labelmap).astype(np.bool_)
    )


@given(
    phantom=phantoms(longest=6, margin=12),
    voxel_type=st.sampled_from(["int16", "float32"]),
    spacing_mm=st.one_of(
        st.sampled_from([(1.0, 1.0, 1.0), (2.0, 1.5, 0.5)]), st.tuples(*[st.floats(0.4, 4.0)] * 3)
    ),
    pad_voxels=st.integers(0, 12),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_image_and_mask_have_itks_bits_on_any_grid(
    phantom: Phantom, voxel_type: str, spacing_mm: Triple, pad_voxels: int
) -> None:
    # Of a CT two voxels long ITK reads what lies before its coefficients in memory.
    assume(2 not in phantom.mask.shape)
    voxels = as_measured(phantom.ct.voxels, "float32" if voxel_type == "float32" else "int16")
    ct = Volume(voxels=voxels, geometry=phantom.ct.geometry)
    assert_resampled_as_pyradiomics_does(ct, phantom.mask, spacing_mm, pad_voxels=pad_voxels)


def smooth(shape: Shape) -> NDArray[np.int16]:
    d, h, w = np.indices(shape)
    waves = 300 * np.sin(d / 3) + 200 * np.cos(h / 5 + w / 7) + (d * 31 + h * 17 + w * 13) % 60
    return waves.astype(np.int16)


def air_with_a_body(shape: Shape) -> NDArray[np.int16]:
    """Return air of one HU value, as most of a CT is, and a block of tissue in the middle."""
    hu = np.full(shape, -1024, np.int16)
    body = tuple(slice(n // 3, n - n // 3) for n in shape)
    hu[body] = smooth(shape)[body]
    return hu


LONG = {"W": (5, 6, 260), "H": (6, 260, 5), "D": (260, 5, 6), "H and W": (5, 170, 190)}


@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("hu", [smooth, air_with_a_body])
@pytest.mark.parametrize("shape", LONG.values(), ids=LONG)
@pytest.mark.parametrize("direction", [STRAIGHT, TILTED], ids=["straight", "tilted"])
def test_a_window_of_a_large_ct_gives_the_bits_of_all_of_it(
    shape: Shape,
    hu: Callable[[Shape], NDArray[np.int16]],
    where: float,
    direction: tuple[float, ...],
) -> None:
    mask = np.zeros(shape, np.bool_)
    starts = [int(where * (n - 4)) for n in shape]
    mask[tuple(slice(start, start + 4) for start in starts)] = True
    for dtype in (np.int16, np.float64):
        ct = volume(hu(shape).astype(dtype), ODD_MM, direction=direction)
        assert_resampled_as_pyradiomics_does(ct, mask, (1.0, 1.0, 1.0))


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """The parts of the CT that were filtered, in turn."""
    seen: list[Box] = []
    honest = spline._coefficients_in  # what it is asked is the point

    def spied(
        window: Box, voxels: NDArray[np.generic], needed: Box
    ) -> tuple[NDArray[np.float64], bool]:
        seen.append(window)
        return honest(window, voxels, needed)

    monkeypatch.setattr(spline, "_coefficients_in", spied)
    return seen


@pytest.mark.parametrize(("plateau_hu", "n_windows"), [(None, 1), (-1024, 2)])
def test_a_plateau_that_hides_where_the_recursion_stands_is_filtered_whole(
    plateau_hu: int | None, n_windows: int, windows: list[Box]
) -> None:
    shape = (5, 6, 400)
    hu = smooth(shape).astype(np.float64) if plateau_hu is None else np.full(shape, plateau_hu)
    mask = np.zeros(shape, np.bool_)
    mask[1:4, 1:5, 190:200] = True
    ct = volume(hu.astype(np.float64), ODD_MM)
    assert_resampled_as_pyradiomics_does(ct, mask, (1.0, 1.0, 1.0))
    assert len(windows) == n_windows
    lengths = [window[2].stop - window[2].start for window in windows]
    assert lengths[0] < 200
    assert lengths[1:] == [400] * (n_windows - 1)


@given(
    steps=st.lists(st.sampled_from([0, 1, 40, -1000, 1000]), min_size=4, max_size=12),
    seed=st.integers(0, 2**20),
    direction=st.sampled_from(DIRECTIONS),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_steps_between_plateaus_have_itks_bits(
    steps: list[int], seed: int, direction: tuple[float, ...]
) -> None:
    rng = np.random.default_rng(seed)
    line = np.concatenate([np.full(int(rng.integers(5, 70)), hu) for hu in np.cumsum(steps)])
    hu = np.broadcast_to(line, (4, 5, line.size)).copy()
    hu += rng.integers(0, 2, (4, 5, 1)) * 7
    start = int(rng.integers(0, line.size - 3))
    mask = np.zeros(hu.shape, np.bool_)
    mask[1:3, 1:4, start : start + 3] = True
    ct = volume(hu.astype(rng.choice([np.int16, np.float64])), ODD_MM, direction=direction)
    assert_resampled_as_pyradiomics_does(ct, mask, (1.0, 1.0, 1.3))


@example(values=[-0.999999, 0.999999, 32_767.9, 32_768.5, -32_768.9, -40_000.0])
@given(values=st.lists(st.floats(-50_000, 50_000), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_hu_are_truncated_towards_zero_and_kept_within_int16(values: list[float]) -> None:
    found = resampling._cast(np.array(values), np.dtype(np.int16))
    assert found.tolist() == [int(min(max(v, -32_768), 32_767)) for v in values]


def test_a_line_of_slope_one_is_reproduced_between_its_voxels() -> None:
    """A cubic spline reproduces straight lines away from the borders."""
    shape = (9, 9, 101)
    hu = np.broadcast_to(np.arange(101.0) * 10, shape).copy()
    mask = np.zeros(shape, np.bool_)
    mask[3:6, 3:6, 40:60] = True
    ct = volume(hu, (1.0, 1.0, 1.0))
    lattice = lattice_around(box_of(mask), ct.geometry, spacing_mm=(1.0, 1.0, 0.5), pad_voxels=2)
    # First voxel: floor(39.5 * 2 - 2) = 77 halves less a quarter voxel.
    x = 77 * 0.5 - 0.25 + 0.5 * np.arange(lattice.shape[2])
    found = resampled_image(hu, lattice)
    np.testing.assert_allclose(found, np.broadcast_to(10 * x, lattice.shape), rtol=1e-12)


def test_a_crop_is_a_copy_of_the_voxels() -> None:
    hu = smooth((6, 7, 8))
    mask = np.zeros(hu.shape, np.bool_)
    mask[2:4, 2:4, 2:4] = True
    ct = volume(hu)
    lattice = lattice_around(box_of(mask), ct.geometry, spacing_mm=None, pad_voxels=1)
    oracle.assert_same_bits(resampled_image(hu, lattice), hu[1:5, 1:5, 1:5])
    oracle.assert_same_bits(resampled_mask(mask, lattice), mask[1:5, 1:5, 1:5])
