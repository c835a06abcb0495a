"""Moved contours against formulas of balls, and noise against its own deviation."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.domain.errors import UsageError
from hnmets.domain.geometry import Geometry, Volume
from hnmets.imaging.perturbations import PATTERNS, Perturbation
from tests.builders_cases import ball, texture

Spacing = tuple[float, float, float]
SHAPE = (40, 40, 40)
MILLIMETRE = (1.0, 1.0, 1.0)
HALF = (0.5, 0.5, 0.5)
MASK_KINDS = ("grow", "shrink", "shift", "contour")


def tumour(
    radius_mm: float = 10.0,
    *,
    shape: tuple[int, int, int] = SHAPE,
    spacing_mm: Spacing = MILLIMETRE,
) -> np.ndarray:
    d, h, w = ((n - 1) / 2 for n in shape)
    return ball(shape, centre=(d, h, w), radius_mm=radius_mm, spacing_mm=spacing_mm)


def moved(
    name: str,
    mask: np.ndarray,
    *,
    spacing_mm: Spacing = MILLIMETRE,
    case_id: str = "P01",
    region: str = "tumour",
    seed: int = 0,
) -> np.ndarray:
    perturbation = Perturbation.of(name, seed=seed)
    return perturbation.redrawn(region, mask, spacing_mm=spacing_mm, case_id=case_id)


def centre_of(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)


@pytest.mark.parametrize("spacing_mm", [MILLIMETRE, (3.0, 0.9766, 0.9766)])
@pytest.mark.parametrize("kind", MASK_KINDS)
def test_no_amplitude_is_no_change(kind: str, spacing_mm: Spacing) -> None:
    mask = tumour(spacing_mm=spacing_mm)
    np.testing.assert_array_equal(moved(f"{kind}-0mm", mask, spacing_mm=spacing_mm), mask)


def test_no_noise_is_no_change() -> None:
    for voxels in (texture(SHAPE), texture(SHAPE) + 0.25):
        np.testing.assert_array_equal(noisy("noise-0hu", voxels), voxels)


@pytest.mark.parametrize("spacing_mm", [MILLIMETRE, (3.0, 1.0, 1.0)])
@pytest.mark.parametrize("amplitude_mm", [1.0, 2.0, 3.0])
def test_a_grown_ball_is_a_larger_ball(amplitude_mm: float, spacing_mm: Spacing) -> None:
    shape = (round(46 / spacing_mm[0]), 46, 46)
    mask = tumour(15.0, shape=shape, spacing_mm=spacing_mm)
    found_mm3 = moved(f"grow-{amplitude_mm}mm", mask, spacing_mm=spacing_mm).sum() * spacing_mm[0]
    # A contour moves by whole voxels: slices of 3 mm leave it little choice.
    rel = 0.04 if spacing_mm == MILLIMETRE else 0.08
    assert found_mm3 == pytest.approx(4 / 3 * pi * (15 + amplitude_mm) ** 3, rel=rel)


@given(amplitude_mm=st.sampled_from([0.5, 1.0, 1.5, 2.0, 4.0]), radius_mm=st.floats(3, 12))
@settings(max_examples=20, deadline=None)
def test_shrinking_the_inside_is_growing_the_outside(
    amplitude_mm: float, radius_mm: float
) -> None:
    mask = tumour(radius_mm)
    shrunk = moved(f"shrink-{amplitude_mm}mm", mask)
    np.testing.assert_array_equal(~shrunk, moved(f"grow-{amplitude_mm}mm", ~mask))
    assert not (shrunk & ~mask).any()
    assert not (mask & ~moved(f"grow-{amplitude_mm}mm", mask)).any()


def test_a_single_voxel_grows_as_one_can_count_and_shrinks_to_nothing() -> None:
    voxel = np.zeros(SHAPE, bool)
    voxel[20, 20, 20] = True
    # d² + h² + w² <= 4 has 33 solutions.
    assert moved("grow-2mm", voxel).sum() == 33
    assert moved("grow-0.9mm", voxel).sum() == 1
    assert not moved("shrink-1mm", voxel).any()


@pytest.mark.parametrize("spacing_mm", [MILLIMETRE, (2.0, 1.0, 1.0)])
def test_a_shifted_ball_is_the_same_ball_elsewhere(spacing_mm: Spacing) -> None:
    shape = (round(40 / spacing_mm[0]), 40, 40)
    mask = tumour(shape=shape, spacing_mm=spacing_mm)
    ways = []
    for case_id in ("P01", "P02", "P03", "P04"):
        shifted = moved("shift-3mm", mask, spacing_mm=spacing_mm, case_id=case_id)
        ways.append((centre_of(shifted) - centre_of(mask)) * spacing_mm)
        assert shifted.sum() == pytest.approx(mask.sum(), rel=0.03)
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 3, atol=0.25)
    # Directions of their own: no two within 10 degrees.
    cosines = (ways @ np.transpose(ways)) / 9
    assert cosines[~np.eye(4, dtype=bool)].max() < 0.98


@pytest.mark.parametrize("amplitude_mm", [1.0, 2.0])
def test_a_random_contour_moves_as_far_as_it_was_told(amplitude_mm: float) -> None:
    shape = (80, 80, 80)
    radius_mm = 12.0
    mask = tumour(radius_mm, shape=shape, spacing_mm=HALF)
    changed_mm3 = [
        (moved(f"contour-{amplitude_mm}mm", mask, spacing_mm=HALF, seed=seed) ^ mask).sum() / 8
        for seed in range(6)
    ]
    # Of a normal displacement along the surface's normal the mean size is σ √(2/π).
    expected_mm3 = amplitude_mm * (2 / pi) ** 0.5 * 4 * pi * radius_mm**2
    assert np.mean(changed_mm3) == pytest.approx(expected_mm3, rel=0.12)


def test_neighbours_on_a_random_contour_move_together() -> None:
    mask = tumour(12.0, shape=(80, 80, 80), spacing_mm=HALF)
    changed = moved("contour-1mm", mask, spacing_mm=HALF) ^ mask
    # Independent noise on each of the 20 000 surface voxels would leave thousands of crumbs.
    from hnmets.imaging.parts import connected_parts

    assert len(connected_parts(changed)) < 100


@pytest.mark.parametrize("kind", ["shift", "contour"])
def test_seed_case_and_region_each_have_a_contour_of_their_own(kind: str) -> None:
    mask, name = tumour(), f"{kind}-2mm"
    once = moved(name, mask)
    np.testing.assert_array_equal(moved(name, mask), once)
    for other in ({"seed": 1}, {"case_id": "P02"}, {"region": "nodes"}):
        assert (moved(name, mask, **other) != once).any()


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_what_reaches_the_border_of_the_volume_goes_on_behind_it(kind: str) -> None:
    column = np.zeros((12, 30, 30), bool)
    column[:, 10:20, 10:20] = True
    changed = moved(f"{kind}-2mm", column)
    assert changed[[0, -1]].any(axis=(1, 2)).all()
    if kind in ("grow", "shrink"):
        np.testing.assert_array_equal(changed, np.broadcast_to(changed[6], changed.shape))


def test_nothing_and_everything_have_no_contour() -> None:
    for mask in (np.zeros(SHAPE, bool), np.ones(SHAPE, bool)):
        for kind in MASK_KINDS:
            np.testing.assert_array_equal(moved(f"{kind}-2mm", mask), mask)


def noisy(name: str, voxels: np.ndarray, *, case_id: str = "P01", seed: int = 0) -> np.ndarray:
    ct = Volume(voxels=voxels, geometry=Geometry(shape=SHAPE, spacing_mm=MILLIMETRE))
    return Perturbation.of(name, seed=seed).rescanned(ct, case_id=case_id).voxels


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    hu = texture(SHAPE)
    noise = noisy("noise-20hu", hu) - hu
    assert noise.dtype == np.int16
    assert noise.mean() == pytest.approx(0, abs=0.5)
    # Rounding to whole HU adds 1/12.
    assert noise.var() == pytest.approx(20**2 + 1 / 12, rel=0.02)
    for other in ({"seed": 1}, {"case_id": "P02"}):
        assert (
            abs(np.corrcoef(noise.ravel(), (noisy("noise-20hu", hu, **other) - hu).ravel())[0, 1])
            < 0.02
        )


def test_noise_does_not_wrap_around_at_the_end_of_the_scale() -> None:
    metal = np.full(SHAPE, 32767, np.int16)
    assert noisy("noise-20hu", metal).min() > 32000


def test_noise_leaves_contours_and_contours_leave_the_image() -> None:
    mask = tumour()
    np.testing.assert_array_equal(moved("noise-20hu", mask), mask)
    hu = texture(SHAPE)
    np.testing.assert_array_equal(noisy("grow-2mm", hu), hu)


@pytest.mark.parametrize("name", ["grow-1.5mm", *PATTERNS])
def test_a_name_is_read_and_written(name: str) -> None:
    assert Perturbation.of(name, seed=0).name == name
    assert Perturbation.of("grow-1.50mm", seed=0).name == "grow-1.5mm"


@pytest.mark.parametrize(
    "name", ["grow", "grow-1", "grow-1hu", "noise-1mm", "swell-1mm", "grow--1mm"]
)
def test_an_unknown_name_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(UsageError, match=f"no perturbation '{name}'") as caught:
        Perturbation.of(name, seed=0)
    assert all(pattern in caught.value.__notes__[0] for pattern in PATTERNS)


def test_an_amplitude_beyond_reason_is_refused() -> None:
    with pytest.raises(UsageError, match="'grow-21mm' is not between 0 and 20 mm"):
        Perturbation.of("grow-21mm", seed=0)


def test_only_what_is_random_hangs_on_the_seed() -> None:
    for name in PATTERNS:
        first = Perturbation.of(name, seed=0)
        same = replace(first, seed=1).identity == first.identity
        assert same == name.startswith(("grow", "shrink"))
