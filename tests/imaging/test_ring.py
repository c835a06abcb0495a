"""The ring: its geometry against formulas, and what it leaves out."""

from math import pi
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry, Volume
from hnmets.domain.region import Region, RingRegion
from hnmets.imaging.orientation import canonical
from hnmets.imaging.ring import ring
from hnmets.sources.nifti import read_ct, read_mask
from tests.builders_volumes import ball

Spacing = tuple[float, float, float]
SHAPE = (40, 64, 64)
MIDDLE = (20.0, 32.0, 32.0)


def tissue(
    shape: tuple[int, int, int] = SHAPE, spacing_mm: Spacing = (1.0, 1.0, 1.0), hu: int = 50
) -> Volume:
    """A crop inside the body: soft tissue up to every border."""
    return Volume(
        voxels=np.full(shape, hu, np.int16), geometry=Geometry(shape=shape, spacing_mm=spacing_mm)
    )


def around(mask: np.ndarray, ct: Volume, *, distance_mm: float = 5.0, **limits: float) -> Region:
    rule = RingRegion(around="tumour", distance_mm=distance_mm, **limits)
    return ring(rule, name="ring", ct=ct, around=Region(name="tumour", mask=mask))


@pytest.mark.parametrize("distance_mm", [3.0, 5.0, 10.0])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)])
def test_the_ring_of_a_ball_is_a_shell(spacing_mm: Spacing, distance_mm: float) -> None:
    radius_mm = 15.0
    shape = (int(60 / spacing_mm[0]), 60, 60)
    centre = (shape[0] / 2, 30.0, 30.0)
    tumour = ball(shape, centre=centre, radius_mm=radius_mm, spacing_mm=spacing_mm)
    ct = tissue(shape, spacing_mm)
    found_mm3 = (
        around(tumour, ct, distance_mm=distance_mm).mask.sum() * ct.geometry.voxel_volume_mm3
    )
    shell_mm3 = 4 / 3 * pi * ((radius_mm + distance_mm) ** 3 - radius_mm**3)
    # 3 mm slices leave a ring of 3 mm little choice
    rel = 0.10 if distance_mm < 5 else 0.05
    assert found_mm3 == pytest.approx(shell_mm3, rel=rel)


def test_a_single_voxel_has_the_ring_that_one_can_count() -> None:
    # cubes of 1 mm: d² + h² + w² <= 4 has 33 solutions, one of them the tumour
    tumour = np.zeros(SHAPE, bool)
    tumour[20, 32, 32] = True
    assert around(tumour, tissue(), distance_mm=2.0).mask.sum() == 32
    # slices of 3 mm: three layers of 1 mm; the next slice's middle is 2 mm from the nearest.
    # in the plane 29 - 1 with h² + w² <= 9, in each next slice 21 with 4 + h² + w² <= 9
    found = around(tumour, tissue(spacing_mm=(3.0, 1.0, 1.0)), distance_mm=3.0).mask
    assert found.sum() == 28 + 2 * 21
    assert found[19:22:2, 32, 32].all()
    assert found[20, 32, 29]
    assert not found[20, 32, 28]
    assert not found[18].any()


@settings(max_examples=20, deadline=None)
@given(shift=st.tuples(st.integers(-8, 8), st.integers(-18, 18), st.integers(-18, 18)))
def test_a_shifted_tumour_has_the_shifted_ring(shift: tuple[int, int, int]) -> None:
    tumour = ball(SHAPE, centre=MIDDLE, radius_mm=6)
    here = around(tumour, tissue()).mask
    there = around(np.roll(tumour, shift, (0, 1, 2)), tissue()).mask
    np.testing.assert_array_equal(np.roll(here, shift, (0, 1, 2)), there)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), distance_mm=st.floats(3.5, 8.0))
def test_the_ring_never_touches_the_tumour_nor_goes_further_than_its_width(
    seed: int, distance_mm: float
) -> None:
    rng = np.random.default_rng(seed)
    spacing_mm = tuple(rng.uniform(0.6, 3.3, 3))
    tumour = np.zeros((12, 16, 16), bool)
    tumour[4:9, 5:12, 5:12] = rng.random((5, 7, 7)) < 0.5
    found = around(tumour, tissue(tumour.shape, spacing_mm), distance_mm=distance_mm).mask
    offsets = np.abs(np.argwhere(found)[:, None] - np.argwhere(tumour)[None])
    # to the nearest surface, and to the nearest centre
    nearest_mm = [
        np.linalg.norm(np.maximum(offsets - half, 0) * spacing_mm, axis=2).min(axis=1).max()
        for half in (0.5, 0)
    ]
    assert not (found & tumour).any()
    assert nearest_mm[0] <= distance_mm
    assert nearest_mm[1] <= distance_mm + max(spacing_mm) / 2


def test_a_wider_ring_holds_the_narrower() -> None:
    tumour = ball(SHAPE, centre=MIDDLE, radius_mm=6)
    narrow, wide = (around(tumour, tissue(), distance_mm=mm).mask for mm in (3.0, 5.0))
    assert (wide | narrow == wide).all()
    assert wide.sum() > narrow.sum()


def test_a_ring_inside_soft_tissue_loses_nothing() -> None:
    flags = around(ball(SHAPE, centre=MIDDLE, radius_mm=6), tissue()).flags
    assert set(flags) == {
        "share_lost_volume",
        "share_lost_body",
        "share_lost_air",
        "share_lost_bone",
        "share_lost",
    }
    assert all(share == 0 for share in flags.values())


def test_air_and_bone_in_the_ring_are_left_out_and_counted() -> None:
    tumour = ball(SHAPE, centre=MIDDLE, radius_mm=6)
    full = around(tumour, tissue())
    ct = tissue()
    ct.voxels[18:22, 28:36, 40] = -1000  # enclosed: an airway
    ct.voxels[18:22, 28:36, 24] = 301
    found = around(tumour, ct)
    n_air = full.mask[18:22, 28:36, 40].sum()
    n_bone = full.mask[18:22, 28:36, 24].sum()
    assert n_air == n_bone == 32
    assert not found.mask[18:22, 28:36, 40].any()
    assert found.flags["share_lost_air"] == pytest.approx(n_air / full.mask.sum())
    assert found.flags["share_lost_bone"] == pytest.approx(n_bone / full.mask.sum())
    assert found.flags["share_lost_body"] == 0
    assert found.flags["share_lost"] == pytest.approx((n_air + n_bone) / full.mask.sum())


@pytest.mark.parametrize(("hu", "stays"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_the_limits_in_hu_belong_to_the_ring(hu: int, stays: bool) -> None:
    ct = tissue()
    ct.voxels[20, 32, 40] = hu
    assert around(ball(SHAPE, centre=MIDDLE, radius_mm=6), ct).mask[20, 32, 40] == stays


def test_half_of_the_ring_of_a_tumour_at_the_skin_is_lost_to_the_outside() -> None:
    # the skin runs through the middle of the ball
    ct = tissue()
    ct.voxels[:, 33:] = -1000
    flags = around(ball(SHAPE, centre=MIDDLE, radius_mm=8), ct).flags
    # the middle row of voxels stays inside: a little less than half is lost
    assert flags["share_lost_body"] == pytest.approx(0.5, abs=0.03)
    assert flags["share_lost"] == flags["share_lost_body"]


def test_half_of_the_ring_of_a_tumour_at_the_border_is_lost_to_the_volume() -> None:
    ct = tissue()
    flags = around(ball(SHAPE, centre=(20.0, -0.5, 32.0), radius_mm=8), ct).flags
    # seen from the half ball, the other half of its ring lies outside, less the flat side
    assert 0.2 < float(flags["share_lost_volume"]) < 0.5
    assert flags["share_lost_body"] == 0


def test_a_block_at_the_border_loses_what_one_can_count() -> None:
    # 4³ voxels in the corner of the volume, ring of 1 mm: 6 faces of 16, 3 of them outside
    tumour = np.zeros(SHAPE, bool)
    tumour[:4, :4, :4] = True
    found = around(tumour, tissue(), distance_mm=1.0)
    assert found.mask.sum() == 48
    assert found.flags["share_lost_volume"] == 0.5


def test_the_ring_does_not_reach_into_the_couch() -> None:
    ct = tissue((40, 96, 64))
    ct.voxels[:, 40:] = -1000
    ct.voxels[:, 42:44] = 100  # a shell 2 mm behind the skin
    ct.voxels[::4, 40:42, 10] = 100  # touching it here and there
    tumour = ball((40, 96, 64), centre=(20.0, 32.0, 32.0), radius_mm=6)
    found = around(tumour, ct, distance_mm=8.0)
    assert found.mask[:, :40].any()
    assert not found.mask[:, 40:].any()


def test_a_ring_that_holds_nothing_is_empty() -> None:
    ct = tissue(hu=1200)
    tumour = ball(SHAPE, centre=MIDDLE, radius_mm=6)
    with pytest.raises(CaseError, match="share_lost_bone 100%") as caught:
        around(tumour, ct)
    assert caught.value.code == Code.REGION_EMPTY


def test_a_ring_thinner_than_a_voxel_is_empty() -> None:
    with pytest.raises(CaseError, match="thinner than one voxel") as caught:
        around(ball(SHAPE, centre=MIDDLE, radius_mm=6), tissue(), distance_mm=0.9)
    assert caught.value.code == Code.REGION_EMPTY


def test_a_ring_around_nothing_is_empty() -> None:
    with pytest.raises(CaseError) as caught:
        around(np.zeros(SHAPE, bool), tissue())
    assert caught.value.code == Code.REGION_EMPTY


@pytest.mark.real_data
def test_rings_of_the_sarcomas_stay_in_soft_tissue(real_data: Path) -> None:
    for image in sorted((real_data / "sts" / "nifti").glob("*_image.nii.gz")):
        ct = canonical(read_ct(image, memory_gib=1).volume)
        path = image.with_name(image.name.replace("image", "mask"))
        tumour = canonical(read_mask(path, memory_gib=1).volume).voxels == 1
        found = around(tumour, ct)
        hu = ct.voxels[found.mask]
        assert -300 <= hu.min() <= hu.max() <= 300
        assert -110 < np.median(hu) < 80
        # at most: a small tumour under the skin of a lower leg, 17 %
        assert 0 <= float(found.flags["share_lost"]) < 0.18


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"distance_mm": -5.0}, "`distance_mm` is -5, must be above 0"),
        ({"distance_mm": 0.0}, "`distance_mm` is 0, must be above 0"),
        ({"lowest_hu": 300.0, "highest_hu": -300.0}, "must lie below"),
        ({"lowest_hu": 300.0}, "must lie below"),
    ],
)
def test_a_ring_that_cannot_hold_a_voxel_is_refused(
    settings_: dict[str, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        RingRegion(around="tumour", **settings_)
