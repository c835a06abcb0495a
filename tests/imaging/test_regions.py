"""Which voxels of a label map are the region, and when there is none."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from hnmets.domain.errors import CaseError, Code, InvalidDataError
from hnmets.domain.geometry import Geometry, Volume
from hnmets.domain.region import DrawnRegion, Region, RingRegion
from hnmets.imaging.orientation import canonical
from hnmets.imaging.regions import build_regions, draw
from hnmets.sources.nifti import read_ct, read_mask
from tests.builders_volumes import ball, neck

SHAPE = (20, 40, 40)
BIG = ball(SHAPE, centre=(10, 12, 12), radius_mm=5)
SMALL = ball(SHAPE, centre=(10, 30, 30), radius_mm=3)


def labelmap(voxels: np.ndarray) -> Volume:
    return Volume(voxels=voxels, geometry=Geometry(shape=SHAPE, spacing_mm=(1.0, 1.0, 1.0)))


def rule(**settings: object) -> DrawnRegion:
    return replace(DrawnRegion(mask="{case}.nii.gz"), **settings)


def drawn(voxels: np.ndarray, **settings: object) -> tuple[Region, ...]:
    return draw(rule(**settings), name="tumour", labelmap=labelmap(voxels))


def refused(voxels: np.ndarray, **settings: object) -> CaseError:
    with pytest.raises(CaseError, match="tumour") as caught:
        drawn(voxels, **settings)
    return caught.value


class TestLabel:
    @pytest.mark.parametrize("label", [255, 2, -1])
    def test_a_single_label_is_taken_whatever_its_number_and_flagged(self, label: int) -> None:
        (region,) = drawn(BIG * np.int16(label))
        np.testing.assert_array_equal(region.mask, BIG)
        assert region.mask.dtype == bool
        assert region.flags == {"label_assumed": label}

    def test_label_1_is_what_everybody_expects(self) -> None:
        (region,) = drawn(BIG.astype(np.uint8))
        assert region.flags == {}
        assert (region.name, region.part) == ("tumour", 0)

    def test_of_several_labels_one_must_be_named(self) -> None:
        error = refused(BIG * np.uint8(1) + SMALL * np.uint8(7))
        assert error.code == Code.MASK_LABEL
        assert "labels 1, 7" in error.detail

    def test_a_named_label_is_taken_from_several(self) -> None:
        (region,) = drawn(BIG * np.uint8(1) + SMALL * np.uint8(7), label=7)
        np.testing.assert_array_equal(region.mask, SMALL)

    def test_a_named_label_that_is_not_there_lists_what_is(self) -> None:
        error = refused(BIG * np.uint8(1) + SMALL * np.uint8(7), label=3)
        assert error.code == Code.MASK_LABEL
        assert "label 3, the mask holds labels 1, 7" in error.detail

    def test_an_empty_mask_is_an_empty_region(self) -> None:
        for settings in ({}, {"label": 4}):
            error = refused(np.zeros(SHAPE, np.uint8), **settings)
            assert error.code == Code.REGION_EMPTY

    def test_an_optional_region_may_be_absent(self) -> None:
        assert drawn(np.zeros(SHAPE, np.uint8), optional=True) == ()
        assert drawn(BIG.astype(np.uint8), label=2, optional=True) == ()


class TestParts:
    two = (BIG | SMALL).astype(np.uint8)

    def test_union_keeps_all_and_counts(self) -> None:
        (region,) = drawn(self.two)
        np.testing.assert_array_equal(region.mask, BIG | SMALL)
        assert region.flags == {"parts": 2}

    def test_largest_keeps_one_and_says_what_it_left(self) -> None:
        (region,) = drawn(self.two, parts="largest")
        np.testing.assert_array_equal(region.mask, BIG)
        expected = SMALL.sum() / (BIG.sum() + SMALL.sum())
        assert region.flags["share_in_other_parts"] == pytest.approx(expected)

    def test_separate_gives_a_region_per_part_largest_first(self) -> None:
        first, second = drawn(self.two, parts="separate")
        np.testing.assert_array_equal(first.mask, BIG)
        np.testing.assert_array_equal(second.mask, SMALL)
        assert (first.part, second.part) == (1, 2)

    def test_one_part_that_is_separate_is_part_1(self) -> None:
        (region,) = drawn(BIG.astype(np.uint8), parts="separate")
        assert region.part == 1

    def test_parts_that_touch_by_a_corner_are_one(self) -> None:
        voxels = np.zeros(SHAPE, np.uint8)
        voxels[2:6, 2:6, 2:6] = 1
        voxels[6:10, 6:10, 6:10] = 1
        assert len(drawn(voxels, parts="separate")) == 1
        voxels[6:10, 6:10, 6:10] = 0
        voxels[7:11, 7:11, 7:11] = 1
        assert len(drawn(voxels, parts="separate")) == 2

    def test_a_speck_is_no_part_but_is_counted(self) -> None:
        voxels = self.two.copy()
        voxels[0, 0, 0] = 1
        regions = drawn(voxels, parts="separate")
        assert len(regions) == 2
        assert regions[0].flags["parts_too_small"] == 1


class TestSize:
    tiny: ClassVar = {
        "a voxel": np.s_[5:6, 5:6, 5:6],
        "a line": np.s_[5:6, 5:6, 0:40],
        "a slice": np.s_[5:6, 5:15, 5:15],
        "a sagittal plane": np.s_[5:15, 5:15, 5:6],
        "eight voxels": np.s_[5:7, 5:7, 5:7],
        "26 voxels": np.s_[5:7, 5:6, 5:18],
    }

    @pytest.mark.parametrize("parts", ["union", "largest", "separate"])
    @pytest.mark.parametrize("what", tiny)
    def test_a_region_without_extent_is_refused_with_its_size(self, what: str, parts: str) -> None:
        voxels = np.zeros(SHAPE, np.uint8)
        voxels[self.tiny[what]] = 1
        error = refused(voxels, parts=parts)
        assert error.code == Code.REGION_SMALL
        assert f"holds {voxels.sum()} voxels" in error.detail
        assert "at least 27 voxels" in error.detail

    def test_the_limits_are_the_last_that_pass(self) -> None:
        voxels = np.zeros(SHAPE, np.uint8)
        voxels[5:8, 5:8, 5:8] = 1
        assert drawn(voxels, minimum_voxels=27, minimum_slices=3)
        assert refused(voxels, minimum_voxels=28).code == Code.REGION_SMALL
        assert refused(voxels, minimum_slices=4).code == Code.REGION_SMALL


class TestBuild:
    ct = neck()
    tumour = ball(ct.geometry.shape, centre=(12, 60, 60), radius_mm=12, spacing_mm=(3, 2, 2))
    node = ball(ct.geometry.shape, centre=(12, 48, 30), radius_mm=8, spacing_mm=(3, 2, 2))

    def build(
        self, rules: dict[str, DrawnRegion | RingRegion], **masks: np.ndarray
    ) -> dict[str, tuple[Region, ...]]:
        labelmaps = {
            name: Volume(voxels=mask.astype(np.uint8), geometry=self.ct.geometry)
            for name, mask in masks.items()
        }
        return build_regions(rules, ct=self.ct, labelmaps=labelmaps)

    def test_regions_come_in_the_order_of_the_rules(self) -> None:
        regions = self.build({"ring": RingRegion(), "tumour": rule()}, tumour=self.tumour)
        assert list(regions) == ["ring", "tumour"]
        assert not (regions["ring"][0].mask & regions["tumour"][0].mask).any()

    def test_a_ring_around_separate_parts_is_a_ring_per_part(self) -> None:
        rules = {"nodes": rule(parts="separate"), "halo": RingRegion(around="nodes")}
        regions = self.build(rules, nodes=self.node | self.tumour)
        assert [region.part for region in regions["halo"]] == [1, 2]
        assert regions["halo"][0].mask[12, 60, 60 + 8]
        assert regions["halo"][1].mask[12, 48, 30 + 6]
        assert not regions["halo"][1].mask[12, 60, 60 + 8]

    def test_an_absent_optional_region_has_no_ring(self) -> None:
        rules = {"nodes": rule(optional=True), "halo": RingRegion(around="nodes")}
        assert self.build(rules) == {"nodes": (), "halo": ()}

    def test_a_region_without_a_file_is_missing(self) -> None:
        with pytest.raises(CaseError, match="'tumour' has no mask file") as caught:
            self.build({"tumour": rule()})
        assert caught.value.code == Code.IMAGE_MISSING

    def test_a_ring_around_nothing_is_a_mistake_of_the_study(self) -> None:
        with pytest.raises(InvalidDataError, match=r"around 'tumor'.*drawn are: tumour"):
            self.build({"tumour": rule(), "ring": RingRegion(around="tumor")}, tumour=self.tumour)

    def test_a_snapped_mask_is_flagged_in_its_region(self) -> None:
        moved = replace(self.ct.geometry, origin_mm=(5e-6, 0.0, 0.0))
        labelmaps = {"tumour": Volume(voxels=self.tumour.astype(np.uint8), geometry=moved)}
        regions = build_regions({"tumour": rule()}, ct=self.ct, labelmaps=labelmaps)
        assert regions["tumour"][0].flags["geometry_snapped"] is True

    def test_a_region_in_air_or_metal_or_of_one_value_is_flagged(self) -> None:
        voxels = self.ct.voxels.copy()
        voxels[self.tumour] = 40
        voxels[self.node] = 3071
        voxels[:12][self.node[:12]] = -1000
        ct = replace(self.ct, voxels=voxels)
        labelmaps = {
            name: Volume(voxels=mask.astype(np.uint8), geometry=ct.geometry)
            for name, mask in (("tumour", self.tumour), ("node", self.node))
        }
        regions = build_regions({"tumour": rule(), "node": rule()}, ct=ct, labelmaps=labelmaps)
        assert regions["tumour"][0].flags == {"range_hu": 0.0}
        in_air = self.node[:12].sum() / self.node.sum()
        assert regions["node"][0].flags == {
            "share_air": pytest.approx(in_air),
            "share_saturated": pytest.approx(1 - in_air),
        }


@pytest.mark.real_data
def test_organs_are_drawn_from_one_label_map(real_data: Path) -> None:
    folder = real_data / "organs_ct"
    ct = canonical(read_ct(folder / "example_ct_sm.nii.gz", memory_gib=1).volume)
    organs = canonical(read_mask(folder / "example_seg.nii.gz", memory_gib=1).volume)
    labels = [int(label) for label in np.unique(organs.voxels)[1:]]
    rules = {
        f"organ {label}": rule(label=label, minimum_voxels=1, minimum_slices=1) for label in labels
    }
    regions = build_regions(rules, ct=ct, labelmaps=dict.fromkeys(rules, organs))
    voxels = sum(int(region.mask.sum()) for (region,) in regions.values())
    assert len(labels) == 41
    assert voxels == np.count_nonzero(organs.voxels)
