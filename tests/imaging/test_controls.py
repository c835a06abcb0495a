"""What each negative control takes from an image, and what it has to leave."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import CaseError, Code, UsageError
from hnmets.domain.region import DrawnRegion
from hnmets.extractors.radiomics import Radiomics
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from hnmets.imaging.controls import CONTROLS, Control
from tests.builders_cases import ball_case

RULE = DrawnRegion(mask="{case}_gtv.nii.gz")
CASE = ball_case(radius_mm=10.0)
INSIDE = CASE.regions["tumour"][0].mask
HU = CASE.ct.voxels
MANNERS = ("shuffled", "randomised", "sampled")
# Of its resampled form a control keeps less: interpolation mixes what was replaced.
NATIVE = RadiomicsParameters(images=("Original",), spacing_mm="native")
# SHA-256 of the voxels, 16 digits; they change with `controls.VERSION` alone.
GOLDEN = {
    "shuffled-full": "c522a0586497b514",
    "shuffled-roi": "1a165312d69a95be",
    "shuffled-outside": "1fe93cfdc5814eae",
    "randomised-full": "e843eb27f9417fab",
    "randomised-roi": "8a39940c75e2c1e7",
    "randomised-outside": "4315613d555497cd",
    "sampled-full": "b47cfc9b1c973849",
    "sampled-roi": "e62ce553cac9647e",
    "sampled-outside": "0751aa7b10b0c87f",
    "blank": "b6d0ab28e67a1f22",
    "mask-only": "1df2ef19ca8110f7",
}


def seen(name: str, *, case_id: str = "P01", seed: int = 0, hu: np.ndarray = HU) -> np.ndarray:
    control = Control(name=name, rule=RULE, seed=seed)
    ct = replace(CASE.ct, voxels=hu)
    return control.replaced(ct, inside=INSIDE, case_id=case_id).voxels


def families(case: ImagedCase) -> dict[str, np.ndarray]:
    radiomics = Radiomics(region="tumour", rule=RULE, parameters=NATIVE)
    [features] = radiomics.extract(case)
    found: dict[str, list[float]] = {"shape": [], "firstorder": [], "texture": []}
    for column, value in zip(radiomics.recipe.columns, features.values, strict=True):
        family = column.split("_")[1]
        found[family if family in found else "texture"].append(value)
    return {family: np.array(values) for family, values in found.items()}


def test_there_are_nine_controls_and_two_empty_images() -> None:
    nine = {f"{manner}-{extent}" for manner in MANNERS for extent in ("full", "roi", "outside")}
    assert set(CONTROLS) == nine | {"blank", "mask-only"}
    assert len(CONTROLS) == 11


def test_shuffling_the_region_keeps_its_shape_and_histogram_and_changes_its_texture() -> None:
    shuffled = replace(CASE, ct=replace(CASE.ct, voxels=seen("shuffled-roi")))
    before, after = families(CASE), families(shuffled)
    np.testing.assert_array_equal(np.sort(seen("shuffled-roi")[INSIDE]), np.sort(HU[INSIDE]))
    assert [len(before[family]) for family in ("shape", "firstorder", "texture")] == [14, 18, 68]
    np.testing.assert_array_equal(after["shape"], before["shape"])
    # The same numbers, added in another order.
    np.testing.assert_allclose(after["firstorder"], before["firstorder"], rtol=1e-14)
    changed = ~np.isclose(after["texture"], before["texture"], rtol=1e-9)
    # Four features of the GLDM know grey levels alone.
    assert changed.sum() == 64


@pytest.mark.parametrize("manner", MANNERS)
def test_a_control_changes_its_extent_and_nothing_else(manner: str) -> None:
    np.testing.assert_array_equal(seen(f"{manner}-roi")[~INSIDE], HU[~INSIDE])
    np.testing.assert_array_equal(seen(f"{manner}-outside")[INSIDE], HU[INSIDE])
    everywhere = seen(f"{manner}-full")
    for part, found in (
        (INSIDE, seen(f"{manner}-roi")),
        (~INSIDE, seen(f"{manner}-outside")),
        (INSIDE, everywhere),
        (~INSIDE, everywhere),
    ):
        # Of 264 values evenly spread, few voxels keep theirs by chance.
        assert np.mean(found[part] == HU[part]) < 0.02


@pytest.mark.parametrize("extent", ["full", "roi", "outside"])
def test_what_each_manner_keeps(extent: str) -> None:
    where = {"full": np.ones_like(INSIDE), "roi": INSIDE, "outside": ~INSIDE}[extent]
    before = HU[where]
    np.testing.assert_array_equal(np.sort(seen(f"shuffled-{extent}")[where]), np.sort(before))
    sampled = seen(f"sampled-{extent}")[where]
    assert set(sampled) <= set(before)
    assert not np.array_equal(np.sort(sampled), np.sort(before))
    assert sampled.mean() == pytest.approx(before.mean(), abs=4 * before.std() / before.size**0.5)
    even = seen(f"randomised-{extent}")[where]
    assert even.min() == pytest.approx(before.min(), abs=2)
    assert even.max() == pytest.approx(before.max(), abs=2)
    assert before.min() <= even.min() <= even.max() <= before.max()
    # A fair draw of whole numbers between a and b has the variance ((b - a + 1)² - 1) / 12.
    span = float(before.max()) - float(before.min()) + 1
    assert even.std() == pytest.approx(((span**2 - 1) / 12) ** 0.5, rel=0.03)


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_the_type_of_the_voxels_stays(name: str, dtype: type) -> None:
    hu = HU.astype(dtype) + (0.25 if dtype is np.float64 else 0)
    found = seen(name, hu=hu)
    assert found.dtype == dtype
    assert found.shape == hu.shape


def test_fractions_of_hu_are_drawn_evenly_too() -> None:
    hu = HU + 0.25
    even = seen("randomised-roi", hu=hu)[INSIDE]
    assert hu[INSIDE].min() <= even.min()
    assert even.max() < hu[INSIDE].max()
    assert np.mean(even % 1 == 0.25) < 0.01


def test_the_same_seed_gives_the_same_bytes_on_every_machine() -> None:
    assert {name: digest(seen(name)) for name in CONTROLS} == GOLDEN


def digest(voxels: np.ndarray) -> str:
    return hashlib.sha256(voxels.astype("<i2").tobytes()).hexdigest()[:16]


def test_seed_case_and_control_each_have_numbers_of_their_own() -> None:
    found = [
        seen("shuffled-roi"),
        seen("shuffled-roi", seed=1),
        seen("shuffled-roi", case_id="P02"),
        seen("shuffled-full"),
    ]
    assert len({digest(voxels[INSIDE]) for voxels in found}) == 4


def test_the_given_image_is_not_written_to() -> None:
    before = HU.copy()
    for name in CONTROLS:
        seen(name)
    np.testing.assert_array_equal(HU, before)


def test_an_empty_image_is_soft_tissue_or_air() -> None:
    assert set(seen("blank").ravel()) == {40}
    assert set(seen("mask-only").ravel()) == {-1024}


def test_an_unknown_control_is_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match="no control 'shufled-roi'") as caught:
        Control(name="shufled-roi", rule=RULE)
    assert all(name in caught.value.__notes__[0] for name in CONTROLS)


def test_inside_and_outside_need_a_region() -> None:
    with pytest.raises(UsageError, match="needs a drawn region 'gtv'"):
        Control(name="shuffled-roi", region="gtv")
    with pytest.raises(CaseError) as caught:
        Control(name="shuffled-outside", rule=RULE).replaced(
            CASE.ct, inside=np.zeros_like(INSIDE), case_id="P01"
        )
    assert caught.value.code == Code.REGION_EMPTY
    Control(name="shuffled-full")


def test_the_identity_names_what_the_voxels_hang_on_and_no_more() -> None:
    def identity(name: str, **settings: object) -> dict[str, object]:
        return Control(name=name, **{"rule": RULE, **settings}).identity

    assert identity("shuffled-roi", seed=1) != identity("shuffled-roi")
    label = replace(RULE, label=2)
    assert identity("shuffled-roi", rule=label) != identity("shuffled-roi")
    assert identity("shuffled-full", rule=label) == identity("shuffled-full")
    assert identity("blank", seed=1) == identity("blank")
