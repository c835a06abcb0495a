from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from hnmets.domain.errors import CaseError, Code, UsageError
from hnmets.domain.region import DrawnRegion, RegionRule, RingRegion
from hnmets.domain.variant import Variant
from hnmets.extractors.base import Features
from hnmets.extractors.embedding import Embedding, network_input
from hnmets.extractors.embedding_parameters import EmbeddingParameters, Precision
from hnmets.extractors.network_engine import Engine, engine_of
from hnmets.imaging.crop import Crop
from hnmets.networks.architecture import PRESETS
from hnmets.networks.swin import SwinEncoder, random_encoder
from hnmets.networks.weights_file import WeightsError
from tests.builders_cases import ball, imaged_case, texture

RULES: dict[str, RegionRule] = {"tumour": DrawnRegion(mask="gtv"), "ring": RingRegion()}
CI = EmbeddingParameters(preset="ci", device="cpu")
SHAPE = (20, 50, 50)


def embedding(variant: Variant = "both", parameters: EmbeddingParameters = CI) -> Embedding:
    return Embedding(variant=variant, rules=RULES, parameters=parameters)


def crop(seed: int = 0, edge: int = 32) -> Crop:
    rng = np.random.default_rng(seed)
    z, y, x = np.indices((edge,) * 3) - (edge - 1) / 2
    distance = np.sqrt(z**2 + y**2 + x**2)
    return Crop(
        ct=rng.integers(0, 65536, (edge,) * 3).astype(np.uint16),
        tumour=distance < 6 + seed,
        ring=(distance >= 6 + seed) & (distance < 10 + seed),
        spacing_mm=2.0,
    )


def values(found: Features | CaseError) -> NDArray[np.generic]:
    assert isinstance(found, Features)
    return found.values


def ball_and_shell() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    inner, outer = (
        ball(SHAPE, centre=(9.5, 24.5, 24.5), radius_mm=r, spacing_mm=(3.0, 1.0, 1.0))
        for r in (8.0, 13.0)
    )
    return inner, outer & ~inner


def test_both_shows_the_whole_ct_and_both_masks() -> None:
    shown = crop()
    ct, tumour, ring = network_input(shown, "both")
    np.testing.assert_array_equal(ct, shown.window)
    np.testing.assert_array_equal(tumour, shown.tumour)
    np.testing.assert_array_equal(ring, shown.ring)


@pytest.mark.parametrize(("variant", "channel"), [("tumour", 1), ("ring", 2)])
def test_a_single_region_shows_its_own_ct_alone(variant: Variant, channel: int) -> None:
    shown = crop()
    channels = network_input(shown, variant)
    mask = getattr(shown, variant)
    np.testing.assert_array_equal(channels[0], np.where(mask, shown.window, 0))
    np.testing.assert_array_equal(channels[channel], mask)
    assert not channels[3 - channel].any()


@pytest.mark.parametrize(("variant", "blind_to"), [("tumour", "ring"), ("ring", "tumour")])
def test_a_single_region_s_features_do_not_know_the_other(variant: Variant, blind_to: str) -> None:
    shown = crop()
    ct = shown.ct.copy()
    ct[getattr(shown, blind_to)] = 0
    other = replace(shown, ct=ct)
    one, same = embedding(variant).embed([shown, other])
    np.testing.assert_array_equal(values(one), values(same))
    one, changed = embedding("both").embed([shown, other])
    assert np.abs(values(one) - values(changed)).max() > 1e-4


def test_a_crop_gives_the_same_features_in_any_company() -> None:
    crops = [crop(seed) for seed in range(4)]
    together = embedding().embed(crops)
    for alone, beside in zip(crops, together, strict=True):
        np.testing.assert_allclose(
            values(embedding().embed([alone])[0]), values(beside), rtol=0, atol=1e-6
        )
    assert values(together[0]).shape == (192,)
    assert values(together[0]).dtype == np.float32
    assert np.abs(values(together[0]) - values(together[1])).max() > 1e-3


def test_batches_on_a_device_agree_with_crops_one_by_one() -> None:
    encoder = random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
    inputs = [network_input(crop(seed), "both") for seed in range(4)]
    batched, single = (list(engine(encoder, batch_size=size).embed(inputs)) for size in (4, 1))
    np.testing.assert_allclose(np.array(batched), np.array(single), rtol=1e-5, atol=5e-6)


def test_the_facts_of_crop_and_device_are_recorded() -> None:
    (found,) = embedding().embed([replace(crop(), spacing_grown=True, share_outside=0.25)])
    assert isinstance(found, Features)
    assert found.flags == {
        "crop_spacing_mm": 2.0,
        "spacing_grown": True,
        "share_outside_volume": 0.25,
    }
    assert found.made_with == {
        "torch": str(torch.__version__),
        "device": "cpu",
        "precision": "float32",
    }


def test_no_crop_gives_no_features() -> None:
    assert embedding().embed([]) == ()


def test_the_crop_of_a_case_shows_all_parts_of_its_tumour() -> None:
    tumour, ring = ball_and_shell()
    upper = np.arange(SHAPE[0])[:, None, None] > 9
    whole = imaged_case(
        hu=texture(SHAPE), masks={"tumour": tumour, "ring": ring}, spacing_mm=(3.0, 1.0, 1.0)
    )
    in_parts = imaged_case(
        hu=texture(SHAPE),
        masks={"tumour": (tumour & upper, tumour & ~upper), "ring": ring},
        spacing_mm=(3.0, 1.0, 1.0),
    )
    one, same = embedding().cut(whole), embedding().cut(in_parts)
    np.testing.assert_array_equal(one.tumour, same.tumour)
    np.testing.assert_array_equal(one.ct, same.ct)
    assert one.ct.shape == (32, 32, 32)


def test_a_case_without_its_tumour_cannot_be_cut() -> None:
    case = imaged_case(hu=texture(SHAPE), masks={"tumour": (), "ring": ()})
    with pytest.raises(CaseError, match="no region 'tumour' to cut around") as caught:
        embedding().cut(case)
    assert caught.value.code is Code.REGION_EMPTY


def overflowing_weights(path: Path) -> Path:
    """Finite weights under which a bright crop overflows and a black one does not."""
    encoder = random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
    state = dict(encoder.backbone.state_dict())
    filters = state["patch_embed.proj.weight"].clone()
    filters[:, 0] = 3e38
    save_file(state | {"patch_embed.proj.weight": filters}, path)
    return path


def test_a_crop_whose_features_are_not_finite_fails_alone(tmp_path: Path) -> None:
    weights = overflowing_weights(tmp_path / "w.safetensors")
    parameters = replace(CI, weights=weights, merging="fixed")
    black = replace(crop(), ct=np.zeros((32,) * 3, np.uint16))
    sound, failed, again = embedding("both", parameters).embed([black, crop(), black])
    assert isinstance(failed, CaseError)
    assert failed.code is Code.EXTRACTOR
    assert "192 values are not finite" in failed.detail
    np.testing.assert_array_equal(values(sound), values(again))


class Moody(SwinEncoder):
    """An encoder on a small device: it holds two crops, and one crop breaks it."""

    def forward(self, crops: Tensor) -> Tensor:
        if len(crops) > 2:
            raise torch.OutOfMemoryError("out of memory\non a small device")
        if (crops[:, 0].amin(dim=(1, 2, 3)) > 0.5).any():
            raise RuntimeError("kernel failed\nat line 1")
        return super().forward(crops)


def engine(encoder: SwinEncoder, *, batch_size: int, precision: Precision = "single") -> Engine:
    return Engine(
        encoder=encoder,
        device=torch.device("cpu"),
        precision=precision,
        batch_size=batch_size,
    )


def test_a_crop_beyond_the_range_of_float16_fails_alone_and_names_the_way_out() -> None:
    encoder = random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
    with torch.no_grad():
        # The largest float16 is 65504: a bright patch of eight voxels leaves it.
        encoder.backbone.patch_embed.proj.weight[:, 0] = 60000
    bright, black = network_input(crop(), "both"), network_input(crop(), "both")
    black[0] = 0
    half = engine(encoder.half(), batch_size=3, precision="half")
    sound, failed, again = half.embed([black, bright, black])
    assert isinstance(failed, CaseError)
    assert failed.code is Code.EXTRACTOR
    assert "192 values are not finite; [embedding] precision 'single'" in failed.detail
    np.testing.assert_array_equal(sound, again)
    (single,) = engine(encoder.float(), batch_size=1).embed([bright])
    assert isinstance(single, np.ndarray)
    assert np.isfinite(single).all()


def moody() -> Moody:
    network = Moody(PRESETS["ci"], channels=3, merging="fixed").eval()
    sound = random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
    network.load_state_dict(sound.state_dict())
    return network


def test_a_batch_that_does_not_fit_is_halved() -> None:
    inputs = [network_input(crop(seed), "both") for seed in range(5)]
    found = list(engine(moody(), batch_size=5).embed(inputs))
    sound = random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
    expected = list(engine(sound, batch_size=1).embed(inputs))
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-5, atol=5e-6)


def test_a_crop_that_breaks_the_network_fails_alone() -> None:
    inputs = [network_input(crop(seed), "both") for seed in range(4)]
    inputs[2] = np.ones_like(inputs[2])
    found = list(engine(moody(), batch_size=4).embed(inputs))
    assert [isinstance(vector, CaseError) for vector in found] == [False, False, True, False]
    failed = found[2]
    assert isinstance(failed, CaseError)
    assert (failed.code, failed.detail) == (Code.EXTRACTOR, "kernel failed")


def test_a_crop_too_large_for_the_memory_says_so() -> None:
    class Tiny(SwinEncoder):
        def forward(self, crops: Tensor) -> Tensor:
            raise torch.OutOfMemoryError(f"CUDA out of memory\nTried {crops.shape}")

    tiny = Tiny(PRESETS["ci"], channels=3, merging="fixed")
    (failed,) = engine(tiny, batch_size=1).embed([network_input(crop(), "both")])
    assert isinstance(failed, CaseError)
    assert (failed.code, failed.detail) == (Code.MEMORY, "CUDA out of memory")


def test_the_network_is_built_once_for_all_variants() -> None:
    first = engine_of(CI, channels=3)
    steering = replace(CI, batch_size=3, compiled=True)
    assert engine_of(steering, channels=3).encoder is first.encoder
    assert engine_of(replace(CI, seed=1), channels=3).encoder is not first.encoder


def test_weights_of_another_preset_are_refused_before_anything_is_embedded(
    tmp_path: Path,
) -> None:
    mid = random_encoder(PRESETS["mid"], channels=3, merging="fixed", seed=0)
    save_file(dict(mid.backbone.state_dict()), tmp_path / "mid.safetensors")
    parameters = replace(CI, weights=tmp_path / "mid.safetensors", merging="fixed")
    with pytest.raises(WeightsError, match=r"mid\.safetensors"):
        embedding("both", parameters).embed([crop()])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("asked", [{"device": "cuda"}, {"device": "auto", "precision": "half"}])
def test_without_a_gpu_what_needs_one_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="needs a GPU") as caught:
        embedding("both", replace(CI, **asked)).embed([crop()])
    assert "device to 'cpu'" in caught.value.__notes__[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [("single", 1e-4), ("half", 2e-2)])
@pytest.mark.parametrize("compiled", [False, True])
# Of torch's own tracing of a function with a gradient of its own.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_gpu_gives_the_features_of_the_cpu(
    precision: Precision, tolerance: float, compiled: bool
) -> None:
    # two whole batches and a shorter one
    crops = [crop(seed) for seed in range(5)]
    on_gpu = replace(CI, device="cuda", precision=precision, compiled=compiled, batch_size=2)
    found, expected = (
        np.array([values(f) for f in embedding("both", p).embed(crops)]) for p in (on_gpu, CI)
    )
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < tolerance
