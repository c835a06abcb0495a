from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from monai.networks.nets.swin_unetr import SwinUNETR
from safetensors.torch import save_file
from torch import Tensor

from hnmets.networks.architecture import PRESETS
from hnmets.networks.swin import SwinEncoder, random_encoder
from hnmets.networks.weights import load, pretrained_encoder
from hnmets.networks.weights_file import WeightsError, digest_of

CI = PRESETS["ci"]
Tensors = dict[str, Tensor]


def fresh(channels: int = 3) -> SwinEncoder:
    return random_encoder(CI, channels=channels, merging="fixed", seed=99)


def trained(channels: int = 3) -> SwinEncoder:
    return random_encoder(CI, channels=channels, merging="fixed", seed=1)


def weights(channels: int = 3) -> Tensors:
    return dict(trained(channels).backbone.state_dict())


def embedded(network: SwinEncoder, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        found: Tensor = network(batch)
    return found


def crops(channels: int = 3) -> Tensor:
    return torch.rand((1, channels, 32, 32, 32), generator=torch.manual_seed(1))


def with_prefix(prefix: str) -> Tensors:
    return {prefix + name: tensor for name, tensor in weights().items()}


def as_ssl() -> object:
    """Names as in model_swinvit.pt: DataParallel, fc1 and fc2, and heads of its own."""
    old = {
        "module." + name.replace("mlp.linear", "mlp.fc"): tensor
        for name, tensor in weights().items()
    }
    heads = {"module.norm.weight": torch.ones(4), "module.rotation_head.bias": torch.ones(4)}
    return {"state_dict": old | heads, "epoch": 5, "optimizer": {"lr": 0.1}}


def as_suprem() -> object:
    decoder = {"module.backbone.decoder5.transp_conv.conv.weight": torch.ones(4)}
    return {"net": with_prefix("module.backbone.swinViT.") | decoder}


def as_autoencoder() -> object:
    nested = {
        f"encoder.{name}".replace(".0.blocks", ".0.0.blocks").replace(
            ".0.downsample", ".0.0.downsample"
        ): tensor
        for name, tensor in weights().items()
    }
    return {"model": nested | {"encoder.mask_token": torch.zeros(1)}}


@pytest.mark.parametrize(
    "checkpoint",
    [
        weights,
        as_ssl,
        as_suprem,
        as_autoencoder,
        lambda: {"student": with_prefix("module.backbone.swin_vit.")},
        lambda: {"network_weights": with_prefix("swinViT.")},
    ],
    ids=["bare", "model_swinvit", "suprem", "autoencoder", "voco", "swinunetr"],
)
def test_a_checkpoint_of_each_known_form_loads_whole(
    checkpoint: Callable[[], object], tmp_path: Path
) -> None:
    path = tmp_path / "weights.pt"
    torch.save(checkpoint(), path)
    network, report = pretrained_encoder(
        CI, channels=3, merging="fixed", path=path, sha256=digest_of(path)
    )
    assert (report.share, report.missing, report.mismatched) == (1.0, (), ())
    assert torch.equal(embedded(network, crops()), embedded(trained(), crops()))


def test_safetensors_load_whole(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(weights(), path)
    network, report = pretrained_encoder(
        CI, channels=3, merging="fixed", path=path, sha256=digest_of(path)
    )
    assert report.share == 1.0
    assert torch.equal(embedded(network, crops()), embedded(trained(), crops()))


def test_weights_of_monai_s_own_swin_unetr_give_its_encoder_s_features() -> None:
    unetr = SwinUNETR(
        in_channels=3,
        out_channels=2,
        feature_size=12,
        depths=(1, 1, 1, 1),
        num_heads=(1, 2, 4, 8),
        window_size=4,
    ).eval()
    network = fresh()
    report = load(network, unetr.state_dict(), label="unetr")
    assert report.share == 1.0
    assert any(name.startswith("decoder") for name in report.unexpected)
    with torch.inference_mode():
        expected = unetr.swinViT(crops())[-1].mean(dim=(2, 3, 4))
    torch.testing.assert_close(embedded(network, crops()), expected, rtol=1e-5, atol=1e-5)


def test_weights_trained_on_ct_alone_see_the_ct_alone_at_first() -> None:
    network = fresh(channels=3)
    report = load(network, weights(channels=1), label="ct")
    assert report.share == 1.0
    batch = crops(channels=3)
    expected = embedded(trained(channels=1), batch[:, :1])
    torch.testing.assert_close(embedded(network, batch), expected, rtol=1e-5, atol=1e-5)
    assert not network.backbone.patch_embed.proj.weight[:, 1:].any()


def without(share: float) -> Tensors:
    """The weights less the last tensors, so that a share of the tensors is left."""
    named = [name for name, _ in trained().backbone.named_parameters()]
    kept = set(named[: round(len(named) * share)])
    return {name: tensor for name, tensor in weights().items() if name in kept}


def test_a_few_missing_tensors_are_reported_and_keep_the_same_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tensors = weights()
    del tensors["layers4.0.downsample.norm.bias"]
    report = load(fresh(), tensors, label="nearly")
    assert report.missing == ("layers4.0.downsample.norm.bias",)
    assert 0.95 < report.share < 1
    assert "layers4.0.downsample.norm.bias" in caplog.text


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        (lambda: without(0.9), r"missing: layers4"),
        (lambda: with_prefix("teacher."), r"0\.0% .* unknown: teacher\.patch_embed"),
        (dict, r"0\.0% of the backbone found, wanted are 95%"),
        (
            lambda: dict(
                random_encoder(
                    PRESETS["mid"], channels=3, merging="fixed", seed=0
                ).backbone.state_dict()
            ),
            r"input filters are \(24, 3, 2, 2, 2\)",
        ),
        (
            # too few numbers to matter, too many tensors to be an accident
            lambda: {
                name: tensor
                for name, tensor in weights().items()
                if "relative_position_bias_table" not in name
            },
            r"9[0-4]\.\d% .* missing: layers1\.0\.blocks\.0\.attn\.relative_position_bias_table",
        ),
    ],
    ids=["nine tenths", "wrong prefix", "empty", "another preset", "no position tables"],
)
def test_less_than_95_per_cent_of_the_backbone_is_refused(
    tensors: Callable[[], Tensors], said: str
) -> None:
    network = fresh()
    before = embedded(network, crops())
    with pytest.raises(WeightsError, match=said) as caught:
        load(network, tensors(), label="file.pt")
    assert "Choose the preset" in caught.value.__notes__[0]
    assert torch.equal(embedded(network, crops()), before)


def test_tables_of_another_window_are_named() -> None:
    tensors = weights()
    for name in tensors:
        if name.endswith("relative_position_bias_table"):
            tensors[name] = torch.zeros(13**3, tensors[name].shape[1])
    with pytest.raises(WeightsError, match=r"of another shape: layers1\.0\.blocks\.0\.attn"):
        load(fresh(), tensors, label="window7.pt")


def test_four_input_channels_are_not_taken_for_three() -> None:
    with pytest.raises(WeightsError, match=r"\(12, 4, 2, 2, 2\), wanted is \(12, 3, 2, 2, 2\)"):
        load(fresh(), weights(channels=4), label="brats.pt")


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (torch.full((36,), float("nan")), "not finite"),
        (torch.ones(36, dtype=torch.int64), "torch.int64, not floating point"),
    ],
)
def test_weights_that_are_no_finite_numbers_are_refused(spoilt: Tensor, said: str) -> None:
    tensors = weights() | {"layers1.0.blocks.0.attn.qkv.bias": spoilt}
    with pytest.raises(WeightsError, match=said):
        load(fresh(), tensors, label="file.pt")


def test_half_precision_weights_are_widened() -> None:
    network = fresh()
    half = {n: t.half() if t.is_floating_point() else t for n, t in weights().items()}
    load(network, half, label="half.pt")
    assert all(p.dtype == torch.float32 for p in network.parameters())
    torch.testing.assert_close(
        embedded(network, crops()), embedded(trained(), crops()), rtol=0, atol=0.02
    )


def test_two_tensors_for_one_place_are_refused() -> None:
    tensors = weights() | with_prefix("module.")
    with pytest.raises(WeightsError, match=r"two tensors for 'patch_embed\.proj\.weight'"):
        load(fresh(), tensors, label="file.pt")


def test_a_file_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(weights(), path)
    with pytest.raises(WeightsError, match="changed while the work was under way"):
        pretrained_encoder(CI, channels=3, merging="fixed", path=path, sha256="0" * 64)
