"""Where an altered case is altered: rings see another contour, and never a control."""

from dataclasses import replace

import numpy as np
import pytest

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.domain.region import DrawnRegion, RegionRule, RingRegion
from hnmets.imaging.alteration import Alteration, Regions, altered_case
from hnmets.imaging.controls import CONTROLS, Control
from hnmets.imaging.perturbations import Perturbation
from tests.builders_volumes import ball, neck

CT = neck()
RULES: dict[str, RegionRule] = {
    "tumour": DrawnRegion(mask="{case}.nii.gz", label=1),
    "nodes": DrawnRegion(
        mask="{case}.nii.gz", label=2, optional=True, minimum_voxels=1, minimum_slices=1
    ),
    "ring": RingRegion(around="tumour", distance_mm=5.0),
}
SPACING_MM = CT.geometry.spacing_mm
LABELS = np.uint8(1) * ball(
    CT.geometry.shape, centre=(12, 48, 36), radius_mm=12, spacing_mm=SPACING_MM
)
NODE = (6, 48, 66)
LABELS[NODE] = 2


def altered(
    alteration: Alteration | None, rules: dict[str, RegionRule] = RULES
) -> tuple[Volume, Regions]:
    labelmap = Volume(voxels=LABELS, geometry=CT.geometry)
    maps = {"tumour": labelmap, "nodes": labelmap}
    return altered_case(alteration, rules, ct=CT, labelmaps=maps, case_id="P01")


def mask(regions: Regions, name: str) -> np.ndarray:
    return regions[name][0].mask


def control(name: str) -> Control:
    return Control(name=name, rule=RULES["tumour"])


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_leaves_every_region_where_it_is(name: str) -> None:
    ct, regions = altered(control(name))
    _, plain = altered(None)
    assert (ct.voxels != CT.voxels).any()
    for region in RULES:
        np.testing.assert_array_equal(mask(regions, region), mask(plain, region))


def test_flags_tell_of_the_voxels_that_are_measured() -> None:
    _, plain = altered(None)
    assert "share_air" not in plain["ring"][0].flags
    _, regions = altered(control("shuffled-outside"))
    # Nine tenths of a neck scan are room air.
    assert regions["ring"][0].flags["share_air"] > 0.3
    assert regions["ring"][0].flags["share_lost"] == plain["ring"][0].flags["share_lost"]
    _, blank = altered(control("blank"))
    assert blank["tumour"][0].flags["range_hu"] == 0


def test_a_control_takes_all_parts_of_its_region_as_inside() -> None:
    rules = {**RULES, "tumour": replace(RULES["tumour"], parts="separate")}
    ct, regions = altered(control("shuffled-roi"), rules)
    np.testing.assert_array_equal((ct.voxels != CT.voxels) & ~mask(regions, "tumour"), False)


def test_the_ring_lies_around_the_contour_that_was_moved() -> None:
    _, plain = altered(None)
    ct, grown = altered(Perturbation.of("grow-4mm", seed=0))
    assert ct is CT
    assert not (mask(grown, "tumour") & mask(grown, "ring")).any()
    assert (mask(grown, "ring") & mask(plain, "tumour")).sum() == 0
    assert mask(grown, "ring").sum() > mask(plain, "ring").sum()
    flags = grown["tumour"][0].flags
    added = int(mask(grown, "tumour").sum() - mask(plain, "tumour").sum())
    assert (flags["voxels_added"], flags["voxels_removed"]) == (added, 0)


def test_noise_is_in_the_image_before_rings_are_laid() -> None:
    ct, regions = altered(Perturbation.of("noise-200hu", seed=0))
    ring = ct.voxels[mask(regions, "ring")]
    # Air and bone are told by what the noisy image shows.
    assert ring.min() >= -300
    assert ring.max() <= 300


def test_a_node_that_shrinks_to_nothing_is_absent_and_a_tumour_is_a_failure() -> None:
    _, regions = altered(Perturbation.of("shrink-2mm", seed=0))
    assert regions["nodes"] == ()
    with pytest.raises(CaseError, match="region 'tumour': redrawn, it holds no voxel") as caught:
        altered(Perturbation.of("shrink-15mm", seed=0))
    assert caught.value.code == Code.REGION_EMPTY


def test_a_control_of_a_region_that_the_case_lacks_is_a_failure() -> None:
    rules = {**RULES, "nodes": replace(RULES["nodes"], label=9)}
    nodes = Control(name="sampled-roi", region="nodes", rule=rules["nodes"])
    with pytest.raises(CaseError, match="region 'nodes' holds no voxel"):
        altered(nodes, rules)
