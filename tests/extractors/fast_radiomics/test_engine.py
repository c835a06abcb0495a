from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import Region, RingRegion
from hnmets.extractors.fast_radiomics.engine import NotCoveredError, measure
from hnmets.extractors.radiomics_names import ALL_IMAGES, image_names
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.imaging.ring import ring
from tests.builders_cases import ball, texture
from tests.extractors.fast_radiomics.comparison import assert_measured_as_by_pyradiomics
from tests.extractors.fast_radiomics.phantoms import (
    DIRECTIONS,
    HU,
    MASKS,
    TILTED,
    Phantom,
    Triple,
    cropped,
    phantoms,
    volume,
    with_two_dimensions,
)

ORIGINAL = RadiomicsParameters(images=("Original",))
FILTERED = ALL_IMAGES[1:]


@pytest.mark.parametrize("hu", HU)
@pytest.mark.parametrize("mask", MASKS)
def test_every_kind_of_region_and_of_voxels_equals_pyradiomics(mask: str, hu: str) -> None:
    rng = np.random.default_rng([list(MASKS).index(mask), list(HU).index(hu)])
    drawn = cropped(with_two_dimensions(MASKS[mask]((5, 6, 7), rng)))
    region = np.pad(drawn, ((2, 0), (4, 3), (0, 5)))
    filtered = FILTERED[int(rng.integers(len(FILTERED)))]
    parameters = RadiomicsParameters(images=("Original", filtered), log_sigmas_mm=(1.0,))
    ct = volume(HU[hu](region.shape, rng), (2.5, 0.9765625, 0.9765625))
    assert_measured_as_by_pyradiomics(ct, region, parameters)


SPACINGS = ("native", 1.0, 1.5, (2.0, 1.5, 1.2))


@given(
    phantom=phantoms(),
    image=st.sampled_from(FILTERED),
    spacing_mm=st.sampled_from(SPACINGS),
    bins=st.sampled_from([{}, {"bin_width_hu": 10.0}, {"bin_count": 1}, {"bin_count": 32}]),
    voxel_type=st.sampled_from(["int16", "int16", "float32"]),
    wavelet=st.sampled_from(["coif1", "haar", "db2", "sym4"]),
    pad_voxels=st.sampled_from([0, 3, 10]),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_random_small_regions_equal_pyradiomics(phantom: Phantom, **settings_: object) -> None:
    # Of a CT two voxels long ITK reads what lies before its coefficients in memory.
    settings_ |= {} if 2 not in phantom.mask.shape else {"spacing_mm": "native"}
    bins = settings_.pop("bins")
    images = ("Original", settings_.pop("image"))
    parameters = replace(
        RadiomicsParameters(log_sigmas_mm=(1.0, 2.5)), images=images, **settings_, **bins
    )
    assert_measured_as_by_pyradiomics(phantom.ct, phantom.mask, parameters)


@given(phantom=phantoms(margin=14), image=st.sampled_from(FILTERED))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_filters_that_see_the_whole_ct_equal_pyradiomics(phantom: Phantom, image: object) -> None:
    parameters = replace(
        RadiomicsParameters(spacing_mm="native", filter_extent="image"),
        images=("Original", image),
        log_sigmas_mm=(1.0,),
    )
    # Far away the Laplacian of Gaussian is left out, which is 1e-6 of it.
    assert_measured_as_by_pyradiomics(phantom.ct, phantom.mask, parameters, rel=1e-6)


# Pairs in which the last bit of a voxel hangs on what lies more than 16 σ away.
@pytest.mark.parametrize(
    ("seed", "spacing_mm", "sigma_mm"), [(8, (2.5, 2.5, 2.5), 1.0), (9, (3.0, 1.0, 1.0), 0.5)]
)
def test_a_box_that_is_the_whole_ct_is_filtered_to_its_end(
    seed: int, spacing_mm: Triple, sigma_mm: float
) -> None:
    hu = np.random.default_rng(seed).integers(-1000, 1500, (24, 26, 28)).astype(np.int16)
    mask = np.zeros(hu.shape, np.bool_)
    mask[9:15, 9:17, 9:19] = True
    parameters = RadiomicsParameters(
        spacing_mm="native", images=("LoG",), log_sigmas_mm=(sigma_mm,)
    )
    assert_measured_as_by_pyradiomics(volume(hu, spacing_mm), mask, parameters)


def test_five_hundred_grey_levels_equal_pyradiomics() -> None:
    shape = (8, 8, 8)
    order = np.random.default_rng(8).permutation(512).reshape(shape)
    ct = volume((order * 25 - 6000).astype(np.int16))
    parameters = replace(ORIGINAL, spacing_mm="native")
    assert_measured_as_by_pyradiomics(ct, np.ones(shape, np.bool_), parameters)


def test_all_1562_features_of_a_tilted_ct_equal_pyradiomics() -> None:
    shape, spacing_mm = (14, 40, 44), (3.0, 1.0, 1.0)
    mask = ball(shape, centre=(6, 18, 25), radius_mm=9, spacing_mm=spacing_mm)
    ct = volume(texture(shape), spacing_mm, direction=TILTED)
    assert_measured_as_by_pyradiomics(ct, mask, RadiomicsParameters())


@pytest.mark.slow
@pytest.mark.parametrize("distance_mm", [0, 3, 5, 10])
def test_a_tumour_of_40_cc_and_its_rings_equal_pyradiomics(distance_mm: int) -> None:
    shape, spacing_mm = (40, 130, 140), (3.0, 0.9765625, 0.9765625)
    tumour = ball(shape, centre=(20, 60, 70), radius_mm=21.2, spacing_mm=spacing_mm)
    rng = np.random.default_rng(40)
    hu = HU["soft tissue"](shape, rng)
    hu[:, :30] = -1000  # air in front: its plateau decides where the spline rounds
    ct = volume(hu, spacing_mm)
    region = Region(name="tumour", mask=tumour)
    if distance_mm:
        rule = RingRegion(distance_mm=distance_mm)
        region = ring(rule, name="ring", ct=ct, around=region)
    assert_measured_as_by_pyradiomics(ct, region.mask, RadiomicsParameters())


def test_a_thin_box_lacks_the_filters_that_do_not_fit() -> None:
    mask = np.zeros((3, 30, 30), np.bool_)
    mask[1:, 10:20, 10:20] = True
    parameters = RadiomicsParameters(images=("Original", "LoG"))
    found = measure(volume(texture(mask.shape)), mask, parameters)
    assert {name.split("_")[0] for name in found.values} == {"original"}
    assert found.box == (3, 30, 30)


def test_the_columns_stand_in_pyradiomics_order() -> None:
    mask = np.zeros((12, 12, 12), np.bool_)
    mask[4:8, 4:8, 4:8] = True
    parameters = RadiomicsParameters(log_sigmas_mm=(1.0, 2.0))
    found = measure(volume(texture(mask.shape)), mask, parameters)
    assert tuple(found.values) == parameters.columns
    images = dict.fromkeys(name.split("_")[0] for name in found.values)
    assert tuple(images) == image_names(ALL_IMAGES, (1.0, 2.0))


def test_the_mean_of_two_grey_levels_is_worked_out_by_hand() -> None:
    hu = np.full((8, 8, 8), 40, np.int16)
    hu[2:6, 2:6, 2:3] = 80  # a quarter of the cube
    mask = np.zeros(hu.shape, np.bool_)
    mask[2:6, 2:6, 2:6] = True
    found = measure(volume(hu), mask, ORIGINAL)
    assert found.values["original_firstorder_Mean"] == 50.0
    assert found.values["original_firstorder_Uniformity"] == 0.75**2 + 0.25**2
    assert found.values["original_firstorder_RootMeanSquared"] == pytest.approx(
        np.sqrt(0.75 * 1040**2 + 0.25 * 1080**2)
    )
    assert found.values["original_glcm_Correlation"] < 1
    assert (found.n_voxels, found.lowest_hu, found.highest_hu) == (64, 40.0, 80.0)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_direction_of_a_ct_on_its_own_grid_does_not_count(
    direction: tuple[float, ...],
) -> None:
    mask = ball((20, 20, 20), centre=(9, 10, 11), radius_mm=5, spacing_mm=(1, 1, 1))
    hu = texture(mask.shape)
    straight = measure(volume(hu), mask, RadiomicsParameters(spacing_mm="native"))
    turned = measure(
        volume(hu, direction=direction), mask, RadiomicsParameters(spacing_mm="native")
    )
    assert turned == straight


def test_a_filtered_image_that_is_not_finite_is_left_to_pyradiomics() -> None:
    mask = ball((20, 20, 20), centre=(10, 10, 10), radius_mm=5, spacing_mm=(1, 1, 1))
    nothing = volume(np.zeros(mask.shape, np.int16))
    parameters = RadiomicsParameters(images=("Exponential",))  # 0/0 everywhere
    with pytest.raises(NotCoveredError, match="image exponential is not finite"):
        measure(nothing, mask, parameters)


def test_a_region_that_does_not_fit_into_memory_is_refused_before_the_work() -> None:
    mask = np.zeros((60, 200, 200), np.bool_)
    mask[10:50, 20:180, 20:180] = True
    ct = volume(np.zeros(mask.shape, np.int16), (3.0, 1.0, 1.0))
    with pytest.raises(CaseError, match="a region of 3072 cc") as caught:
        measure(ct, mask, RadiomicsParameters(), memory_gib=0.5)
    assert caught.value.code is Code.MEMORY


def test_a_small_region_of_a_long_ct_is_judged_by_what_the_filters_hold() -> None:
    mask = np.zeros((400, 180, 180), np.bool_)
    mask[200:206, 90:96, 90:96] = True
    hu = np.tile(texture((4, 180, 180)), (100, 1, 1))
    whole = replace(
        ORIGINAL, images=("LoG",), log_sigmas_mm=(1.0,), spacing_mm="native", filter_extent="image"
    )
    measured = measure(volume(hu), mask, whole, memory_gib=1.0)
    assert measured.box == (400, 180, 180)


def test_a_small_region_of_a_coarse_grid_that_falls_between_its_voxels_is_refused() -> None:
    mask = np.zeros((12, 12, 12), np.bool_)
    mask[5:7, 5:7, 5:7] = True
    parameters = replace(ORIGINAL, spacing_mm=6.0)
    assert_measured_as_by_pyradiomics(volume(texture(mask.shape)), mask, parameters)
    with pytest.raises(CaseError, match="measurement grid") as caught:
        measure(volume(texture(mask.shape)), mask, parameters)
    assert caught.value.code is Code.REGION_SMALL


def test_more_bins_than_the_numbers_between_the_extremes_are_left_to_pyradiomics() -> None:
    # Two neighbouring numbers, as a filter leaves them of a constant: NumPy cannot part them.
    hu = np.full((8, 8, 8), 100.0)
    hu[4, 4, 4] = np.nextafter(100.0, 101.0)
    mask = np.zeros(hu.shape, np.bool_)
    mask[2:6, 2:6, 2:6] = True
    parameters = replace(ORIGINAL, spacing_mm="native", bin_count=32)
    assert_measured_as_by_pyradiomics(volume(hu), mask, parameters)
    with pytest.raises(NotCoveredError, match="image original: Too many bins"):
        measure(volume(hu), mask, parameters)
