"""Segmentations: binary, fractional, overlapping, frames left out, and other images' ones."""

from pathlib import Path

import numpy as np
import pytest

from hnmets.domain.errors import CaseError
from hnmets.domain.geometry import Geometry
from hnmets.sources.dicom.ct import slices_of
from hnmets.sources.dicom.instance import Instance, read_instance
from hnmets.sources.dicom.plan import plan
from hnmets.sources.dicom.region_rules import parse_rules
from hnmets.sources.dicom.segmentation import Segments, read_segments
from tests.builders_dicom import KEY, ct_series, phantom, save
from tests.builders_dicom_seg import segmentation
from tests.builders_volumes import ball

RULES = parse_rules(
    'version = 1\nname = "x"\n[roles.bone]\nrequired = true\nexact = ["first segment"]\n'
)
# Where the objects say their frames lie: 16 × 16 pixels of 0.488281 mm, 1.25 mm apart.
GRID = Geometry(
    shape=(4, 16, 16),
    spacing_mm=(1.25, 0.488281, 0.488281),
    origin_mm=(-125.0, -128.100006, 103.019997),
)
BALL = ball((12, 64, 64), centre=(6, 32, 30), radius_mm=14, spacing_mm=(3.0, 2.5, 2.5))
NODE = ball((12, 64, 64), centre=(6, 36, 30), radius_mm=9, spacing_mm=(3.0, 2.5, 2.5))


def published(folder: Path) -> dict[str, Instance]:
    return {
        file.stem.removeprefix("seg_image_ct_"): read_instance(file, KEY)
        for file in sorted((folder / "dicom_seg").glob("*.dcm"))
    }


def written(folder: Path, **settings: object) -> Segments:
    ct = ct_series(phantom(1))
    segments = settings.pop("segments", {"GTVp": BALL, "GTVn": NODE})
    return read_segments(save(segmentation(ct, segments, **settings), folder / "seg.dcm"))  # type: ignore[arg-type]  # a test's own settings


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "threshold", "voxels"),
    [
        ("binary", 0.5, [127, 256, 255]),
        # The same stored as 0 and 255 of 255.
        ("binary_fractional", 0.5, [127, 256, 255]),
        # 128 and 64 of 255, 0.502 and 0.251: the threshold decides.
        ("true_fractional", 0.5, [127, 256, 255]),
        ("true_fractional", 0.25, [149, 256, 256]),
    ],
)
def test_published_frames_go_where_they_say(
    name: str, threshold: float, voxels: list[int], real_data: Path
) -> None:
    segments = read_segments(published(real_data)[name].path)
    found = segments.mask(1, GRID, threshold=threshold)
    assert found.mask.sum(axis=(1, 2)).tolist() == [*voxels, 0]
    assert found.share_lost == 0.0
    assert segments.fractional is ("fractional" in name)


@pytest.mark.real_data
def test_published_segments_that_overlap_are_both_whole(real_data: Path) -> None:
    segments = read_segments(published(real_data)["binary_overlap"].path)
    first, second = (segments.mask(number, GRID, threshold=0.5) for number in (1, 2))
    assert first.mask.sum(axis=(1, 2)).tolist() == [16, 16, 16, 0]
    assert second.mask.sum(axis=(1, 2)).tolist() == [4, 4, 4, 0]
    # Each has a fourth frame 200 mm away, at −99.48 mm.
    assert first.share_lost == second.share_lost == 0.25


@pytest.mark.real_data
def test_the_published_single_frame_lies_on_its_ct(real_data: Path) -> None:
    objects = published(real_data)
    ct = objects.pop("ct_image")
    geometry = slices_of([ct]).stack.geometry
    found = read_segments(objects["binary_single_frame"].path).mask(1, geometry, threshold=0.5)
    assert (found.mask.sum(), found.share_lost) == (1832, 0.0)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["binary", "binary_fractional", "true_fractional", "binary_overlap"]
)
def test_published_segments_of_a_ct_that_is_not_there_are_refused(
    name: str, real_data: Path
) -> None:
    objects = published(real_data)
    with pytest.raises(CaseError, match=r"E_RT_REF.*a series that is no CT of this patient"):
        plan("P-x", [objects["ct_image"], objects[name]], RULES)
    found = plan("P-x", [objects["ct_image"], objects["binary_single_frame"]], RULES)
    assert found.series == objects["ct_image"].series


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("omit", [True, False])
def test_a_segment_comes_back_as_it_was_written(kind: str, omit: bool, tmp_path: Path) -> None:
    names = {"GTVp": BALL} if kind == "LABELMAP" else {"GTVp": BALL, "GTVn": NODE}
    segments = written(tmp_path, segments=names, kind=kind, omit_empty_frames=omit)
    geometry = phantom(1).geometry
    for number, mask in enumerate(names.values(), start=1):
        found = segments.mask(number, geometry, threshold=0.5)
        np.testing.assert_array_equal(found.mask, mask)


def test_a_segment_without_a_frame_is_empty(tmp_path: Path) -> None:
    segments = written(tmp_path, segments={"GTVp": BALL, "GTVn": np.zeros_like(BALL)})
    assert not segments.mask(2, phantom(1).geometry, threshold=0.5).mask.any()


def test_a_segment_beyond_the_ct_is_lost_in_proportion(tmp_path: Path) -> None:
    whole = phantom(1).geometry
    half = Geometry(shape=(6, 64, 64), spacing_mm=whole.spacing_mm, origin_mm=whole.origin_mm)
    found = written(tmp_path).mask(1, half, threshold=0.5)
    np.testing.assert_array_equal(found.mask, BALL[:6])
    assert found.share_lost == pytest.approx(1 - BALL[:6].sum() / BALL.sum())


def test_a_flipped_ct_gets_the_flipped_segment(tmp_path: Path) -> None:
    whole = phantom(1).geometry
    flipped = Geometry(
        shape=whole.shape,
        spacing_mm=whole.spacing_mm,
        origin_mm=whole.position_mm((11.0, 63.0, 0.0)),
        direction=(1.0, 0, 0, 0, -1.0, 0, 0, 0, -1.0),
    )
    found = written(tmp_path).mask(1, flipped, threshold=0.5)
    np.testing.assert_array_equal(found.mask, BALL[::-1, ::-1])


@pytest.mark.parametrize(
    ("spacing", "origin"),
    [((3.0, 2.5, 2.5), (0.6, 0.0, 0.0)), ((3.0, 2.4, 2.4), (0.0, 0.0, 0.0))],
)
def test_a_segment_on_another_grid_is_refused(
    spacing: tuple[float, float, float], origin: tuple[float, float, float], tmp_path: Path
) -> None:
    other = Geometry(shape=(12, 64, 64), spacing_mm=spacing, origin_mm=origin)
    with pytest.raises(CaseError, match=r"E_GEOM_MISMATCH.*3 × 2\.5 × 2\.5 mm"):
        written(tmp_path).mask(1, other, threshold=0.5)
