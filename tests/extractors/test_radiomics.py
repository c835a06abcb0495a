import csv
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses

from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import DrawnRegion
from hnmets.extractors.base import Features
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_parameters import Engine, RadiomicsParameters
from tests.builders_cases import ball, ball_case, imaged_case, texture
from tests.extractors.direct import as_images, measure_directly
from tests.golden.make_radiomics_phantom import GOLDEN

RULE = DrawnRegion(mask="{case}_gtv.nii.gz")
ALL = Radiomics(region="tumour", rule=RULE)
ORIGINAL = Radiomics(
    region="tumour", rule=RULE, parameters=RadiomicsParameters(images=("Original",))
)


def only(radiomics: Radiomics, case: ImagedCase) -> Features:
    [features] = radiomics.extract(case)
    return features


def value(radiomics: Radiomics, features: Features, column: str) -> float:
    return float(features.values[radiomics.recipe.columns.index(column)])


def assert_as_measured_directly(case: ImagedCase) -> None:
    direct = measure_directly(*as_images(case.ct, case.regions["tumour"][0].mask))
    assert tuple(direct) == ALL.recipe.columns
    np.testing.assert_allclose(only(ALL, case).values, list(direct.values()), rtol=1e-12, atol=0)


def test_names_and_values_are_those_of_a_direct_run() -> None:
    assert_as_measured_directly(ball_case())


def wide_case() -> ImagedCase:
    # 150 voxels of 0.9766 mm: the window around the ball is smaller than the volume.
    return ball_case(shape=(60, 150, 150), spacing_mm=(2.0, 0.9766, 0.9766), centre=(20, 60, 90))


def test_cutting_the_volume_before_the_spline_changes_nothing() -> None:
    assert_as_measured_directly(wide_case())


def test_a_ct_with_fractions_of_hu_equals_a_direct_run_too() -> None:
    case = wide_case()
    voxels = case.ct.voxels.astype(np.float64) + 0.3
    assert_as_measured_directly(replace(case, ct=replace(case.ct, voxels=voxels)))


def test_the_phantom_keeps_its_values() -> None:
    with GOLDEN.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    expected = [float(row["value"]) for row in rows]
    np.testing.assert_allclose(only(ALL, ball_case()).values, expected, rtol=1e-9, atol=1e-9)


def test_moving_everything_by_whole_voxels_changes_nothing() -> None:
    shape, spacing_mm = (72, 60, 60), (2.0, 1.0, 1.0)
    case = ball_case(shape=shape, spacing_mm=spacing_mm)
    shift = (3, -2, 4)
    moved = imaged_case(
        hu=np.roll(case.ct.voxels, shift, axis=(0, 1, 2)),
        masks={"tumour": np.roll(case.regions["tumour"][0].mask, shift, axis=(0, 1, 2))},
        spacing_mm=spacing_mm,
    )
    np.testing.assert_allclose(only(ALL, moved).values, only(ALL, case).values, rtol=1e-9)


def test_voxels_far_from_the_region_do_not_count() -> None:
    case = ball_case(shape=(60, 110, 110), spacing_mm=(2.0, 1.0, 1.0), centre=(30, 40, 40))
    hu = case.ct.voxels.copy()
    hu[:, 100:, 100:] = 3000
    other = replace(case, ct=replace(case.ct, voxels=hu))
    np.testing.assert_array_equal(only(ORIGINAL, other).values, only(ORIGINAL, case).values)


def test_the_mean_of_two_grey_levels_is_worked_out_by_hand() -> None:
    mask = np.zeros((8, 8, 8), bool)
    mask[2:6, 2:6, 2:6] = True
    hu = np.full((8, 8, 8), 40, np.int16)
    hu[2:6, 2:6, 2:3] = 80  # a quarter of the cube
    features = only(ORIGINAL, imaged_case(hu=hu, masks={"tumour": mask}))
    assert value(ORIGINAL, features, "original_firstorder_Mean") == 50.0
    assert value(ORIGINAL, features, "original_shape_VoxelVolume") == 64.0
    assert value(ORIGINAL, features, "original_firstorder_Uniformity") == 0.75**2 + 0.25**2


def test_a_thin_volume_gives_a_full_row_with_gaps_and_reasons() -> None:
    mask = np.zeros((3, 30, 30), bool)
    mask[1:, 10:20, 10:20] = True
    features = only(ALL, imaged_case(hu=texture((3, 30, 30)), masks={"tumour": mask}))
    absent = np.isnan(features.values)
    assert features.values.shape == (1562,)
    assert features.flags["absent_features"] == absent.sum() == 5 * 86
    assert sorted(features.reasons) == [f"log-sigma-{n}-0-mm-3D_*" for n in range(1, 6)]
    assert "3 × 30 × 30 voxels" in features.reasons["log-sigma-1-0-mm-3D_*"]
    gaps = [c for c, gap in zip(ALL.recipe.columns, absent, strict=True) if gap]
    assert all(column.startswith("log-sigma-") for column in gaps)


def test_what_pyradiomics_cannot_compute_is_absent_with_its_reason() -> None:
    mask = np.zeros((30, 30, 30), bool)
    mask[10:20:3, 10:20:3, 10:20:3] = True  # no voxel has a neighbour, so no co-occurrence
    features = only(ORIGINAL, imaged_case(hu=texture((30, 30, 30)), masks={"tumour": mask}))
    gaps = {
        column
        for column, number in zip(ORIGINAL.recipe.columns, features.values, strict=True)
        if np.isnan(number)
    }
    assert gaps == {column for column in ORIGINAL.recipe.columns if "_glcm_" in column}
    assert set(features.reasons) == gaps
    assert set(features.reasons.values()) == {"the formula gave nan"}


@pytest.mark.parametrize(("spread", "flat"), [(0, True), (24, True), (25, False)])
def test_a_region_narrower_than_one_bin_is_flagged(spread: int, flat: bool) -> None:
    mask = ball((20, 20, 20), centre=(10, 10, 10), radius_mm=5, spacing_mm=(1, 1, 1))
    hu = np.full((20, 20, 20), 40, np.int16)
    hu[10, 10, 10] += spread
    features = only(ORIGINAL, imaged_case(hu=hu, masks={"tumour": mask}))
    assert features.flags["flat_region"] is flat


def test_metal_in_the_region_is_flagged() -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[4:8, 4:8, 4:8] = True
    hu = texture((12, 12, 12))
    quiet = only(ORIGINAL, imaged_case(hu=hu, masks={"tumour": mask}))
    hu[5, 5, 5] = 30_000
    loud = only(ORIGINAL, imaged_case(hu=hu, masks={"tumour": mask}))
    assert (quiet.flags["many_bins"], loud.flags["many_bins"]) == (False, True)
    lowest = int(hu[mask].min())
    assert loud.flags["bins"] == 30_000 // 25 - lowest // 25 + 1


def test_voxels_are_counted_as_drawn_and_as_measured() -> None:
    features = only(ORIGINAL, ball_case(spacing_mm=(3.0, 1.0, 1.0)))
    # Slices of 3 mm become three of 1 mm, each the nearest neighbour of one drawn slice.
    assert features.flags["voxels_measured"] == 3 * int(features.flags["voxels"])


Box = tuple[tuple[int, int], ...]
SMALL: dict[str, Box] = {
    "one voxel": ((5, 6), (5, 6), (5, 6)),
    "one line": ((5, 6), (5, 6), (3, 9)),
}


@pytest.mark.parametrize("box", SMALL.values(), ids=SMALL)
def test_a_region_without_extent_is_refused_in_pyradiomics_words(box: Box) -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[tuple(slice(*side) for side in box)] = True
    with pytest.raises(CaseError, match=r"mask (only contains 1|has too few dim)") as caught:
        ORIGINAL.extract(imaged_case(hu=texture(mask.shape), masks={"tumour": mask}))
    assert caught.value.code is Code.REGION_SMALL


@pytest.mark.parametrize("box", [((5, 7), (5, 7), (5, 7)), ((5, 6), (3, 9), (3, 9))])
def test_eight_voxels_and_one_slice_are_measured(box: Box) -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[tuple(slice(*side) for side in box)] = True
    features = only(ORIGINAL, imaged_case(hu=texture(mask.shape), masks={"tumour": mask}))
    assert np.isfinite(features.values).all()


def test_axes_of_equal_length_are_real_where_rounding_made_them_a_complex_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = ball_case()
    expected = only(ORIGINAL, case).values
    eigvals = np.linalg.eigvals
    monkeypatch.setattr(np.linalg, "eigvals", lambda matrix: eigvals(matrix) + 0j)
    np.testing.assert_allclose(only(ORIGINAL, case).values, expected, rtol=1e-14)


@pytest.mark.parametrize("engine", ["fast", "pyradiomics"])
def test_a_ct_of_two_slices_is_not_resampled(engine: Engine) -> None:
    mask = np.zeros((2, 20, 20), bool)
    mask[:, 5:15, 5:15] = True
    radiomics = replace(ORIGINAL, parameters=replace(ORIGINAL.parameters, engine=engine))
    thin = imaged_case(hu=texture(mask.shape), masks={"tumour": mask}, spacing_mm=(5, 1, 1))
    with pytest.raises(CaseError, match="the CT has 2 × 20 × 20 voxels"):
        radiomics.extract(thin)


def test_an_empty_region_is_refused() -> None:
    empty = np.zeros((12, 12, 12), bool)
    with pytest.raises(CaseError, match="region 'tumour' holds no voxel") as caught:
        ORIGINAL.extract(imaged_case(hu=texture(empty.shape), masks={"tumour": empty}))
    assert caught.value.code is Code.REGION_EMPTY


def test_a_region_that_nobody_read_is_named_with_what_there_is() -> None:
    nodes = Radiomics(region="nodes", rule=RULE)
    with pytest.raises(CaseError, match="no region 'nodes'; the case has: tumour"):
        nodes.extract(ball_case())


def test_what_pyradiomics_refuses_costs_the_region_and_says_why() -> None:
    mask = ball((20, 20, 20), centre=(10, 10, 10), radius_mm=5, spacing_mm=(1, 1, 1))
    nothing = np.zeros((20, 20, 20), np.int16)  # the exponential image is 0/0 everywhere
    with pytest.raises(CaseError, match="PyRadiomics: ") as caught:
        ALL.extract(imaged_case(hu=nothing, masks={"tumour": mask}))
    assert caught.value.code is Code.EXTRACTOR


def test_an_optional_region_that_a_case_lacks_gives_a_row_of_gaps() -> None:
    features = only(ALL, imaged_case(hu=texture((4, 4, 4)), masks={"tumour": ()}))
    assert features.values.shape == (1562,)
    assert np.isnan(features.values).all()
    assert features.reasons == {"*": "the case has no region 'tumour'"}
    assert features.flags == {"region_absent": True}


def test_separate_parts_are_rows_of_their_own() -> None:
    shape, spacing = (20, 40, 40), (1.0, 1.0, 1.0)
    large = ball(shape, centre=(10, 10, 10), radius_mm=6, spacing_mm=spacing)
    small = ball(shape, centre=(10, 30, 30), radius_mm=4, spacing_mm=spacing)
    hu = texture(shape)
    both = ORIGINAL.extract(imaged_case(hu=hu, masks={"tumour": (large, small)}))
    alone = only(ORIGINAL, imaged_case(hu=hu, masks={"tumour": small}))
    assert [features.part for features in both] == [1, 2]
    np.testing.assert_array_equal(both[1].values, alone.values)


def test_two_processes_give_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.builders_cases import ball_case; "
        "from tests.extractors.test_radiomics import ALL; "
        "print(hashlib.sha256(ALL.extract(ball_case())[0].values.tobytes()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"},
    )
    here = hashlib.sha256(only(ALL, ball_case()).values.tobytes()).hexdigest()
    assert done.stdout.strip() == here
    assert done.stderr == ""


def test_pyradiomics_warnings_stay_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    mask = np.zeros((3, 30, 30), bool)
    mask[1:, 10:20, 10:20] = True
    ALL.extract(imaged_case(hu=texture((3, 30, 30)), masks={"tumour": mask}))
    assert capfd.readouterr() == ("", "")


def test_the_thread_setting_of_itk_is_given_back() -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(3)
    try:
        ORIGINAL.extract(ball_case())
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 3
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def test_loops_that_cannot_be_kept_on_disk_are_compiled_all_the_same() -> None:
    script = (
        "from hnmets.extractors.fast_radiomics.discretisation import bin_edges, discretised; "
        "import numpy as np; v = np.array([1.0, 30.0]); "
        "print(discretised(v, bin_edges(v, width=25.0, count=None)).rank)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"},
    )
    assert done.stdout == "[1 2]\n"
