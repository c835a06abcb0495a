"""The own forward against MONAI's, in float64: values, gradients, names and draws."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from monai.networks.nets.swin_unetr import PatchMerging, SwinTransformer
from torch import Tensor, nn

from hnmets.networks.architecture import PRESETS, Architecture, Merging, Preset
from hnmets.networks.swin import SwinEncoder, random_encoder
from hnmets.networks.swin_forward import (
    APART,
    OCTANTS,
    SwinBackbone,
    WindowAttention,
    WindowGrid,
    relative_positions,
)
from hnmets.networks.swin_forward import PatchMerging as OwnMerging

CI = PRESETS["ci"]
# Narrow, with shifted blocks in every stage: each trap of the whole network is in it.
NARROW = replace(CI, depths=(2, 2, 2, 2), window=7)
TOLERANCE = 1e-12
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class OldMerging(PatchMerging):
    """The 3-D merging of MONAI up to 1.4, on today's parameters."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = slice(0, None, 2), slice(1, None, 2)
        eight = [
            x[:, first, first, first],
            x[:, second, first, first],
            x[:, first, second, first],
            x[:, first, first, second],
            x[:, second, first, second],
            x[:, first, second, first],
            x[:, first, first, second],
            x[:, second, second, second],
        ]
        merged: Tensor = self.reduction(self.norm(torch.cat(eight, dim=-1)))
        return merged


def monai(architecture: Architecture, *, merging: Merging = "fixed", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return SwinTransformer(
        in_chans=3,
        embed_dim=architecture.embed_dim,
        window_size=(architecture.window,) * 3,
        patch_size=(architecture.patch,) * 3,
        depths=architecture.depths,
        num_heads=architecture.heads,
        downsample=OldMerging if merging == "legacy" else "merging",
    )


def lively(network: nn.Module) -> nn.Module:
    """Give biases and position tables values that matter, as training does; in float64."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("table", "bias")):
                parameter.normal_(0, 0.3, generator=generator)
            if ".qkv." in name:
                parameter.mul_(2)
    return network.double()


def pair(architecture: Architecture, merging: Merging = "fixed") -> tuple[SwinBackbone, nn.Module]:
    reference = lively(monai(architecture, merging=merging))
    own = SwinBackbone(architecture, channels=3, merging=merging).double()
    own.load_state_dict(reference.state_dict())
    return own, reference


def crops(batch: int, *edges: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.rand((batch, 3, *edges), dtype=torch.float64, generator=generator)


def last_stage(reference: nn.Module, batch: Tensor) -> Tensor:
    """Return MONAI's last stage before its norm, channels last."""
    maps = reference.patch_embed(batch)
    for place in (1, 2, 3, 4):
        maps = reference.get_submodule(f"layers{place}.0")(maps.contiguous())
    last: Tensor = maps.permute(0, 2, 3, 4, 1)
    return last


def error(found: Tensor, expected: Tensor) -> float:
    found, expected = found.detach(), expected.detach()
    return float((found - expected).norm() / expected.norm())


def assert_same_values_and_gradients(own: nn.Module, reference: nn.Module, batch: Tensor) -> None:
    one, other = batch.clone().requires_grad_(), batch.clone().requires_grad_()
    found, expected = own(one), last_stage(reference, other)
    assert error(found, expected) < TOLERANCE
    weights = torch.randn(found.shape, dtype=found.dtype, generator=torch.manual_seed(3))
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    assert one.grad is not None
    assert other.grad is not None
    assert error(one.grad, other.grad) < TOLERANCE
    wanted = dict(reference.named_parameters())
    for name, parameter in own.named_parameters():
        gradient = wanted[name].grad
        assert parameter.grad is not None
        assert gradient is not None
        assert error(parameter.grad, gradient) < TOLERANCE, name


@pytest.mark.parametrize(
    ("window", "batch", "merging"),
    [
        (7, 1, "fixed"),
        (6, 3, "legacy"),
        pytest.param(7, 3, "legacy", marks=pytest.mark.slow),
        pytest.param(6, 1, "fixed", marks=pytest.mark.slow),
    ],
)
def test_values_and_gradients_are_monai_s(window: int, batch: int, merging: Merging) -> None:
    # stages of 16, 8, 4 and 2 tokens: padded, shifted and smaller than the window
    own, reference = pair(replace(NARROW, window=window), merging)
    assert_same_values_and_gradients(own, reference, crops(batch, 32, 32, 32))


def test_the_axes_of_an_oblong_crop_are_monai_s() -> None:
    own, reference = pair(NARROW)
    assert_same_values_and_gradients(own, reference, crops(1, 32, 64, 32))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edge", "batch", "window", "merging"),
    [
        (64, 1, 7, "fixed"),
        (64, 3, 7, "legacy"),
        (64, 3, 6, "fixed"),
        (96, 1, 7, "fixed"),
        (96, 1, 6, "legacy"),
        (96, 3, 6, "fixed"),
    ],
)
def test_larger_crops_give_monai_s_values_and_gradients(
    edge: int, batch: int, window: int, merging: Merging
) -> None:
    own, reference = pair(replace(NARROW, window=window), merging)
    assert_same_values_and_gradients(own, reference, crops(batch, edge, edge, edge))


@pytest.mark.parametrize("preset", ["ci", pytest.param("mid", marks=pytest.mark.slow)])
def test_a_preset_at_its_own_crop_is_monai_s(preset: Preset) -> None:
    edge = PRESETS[preset].size_voxels
    own, reference = pair(PRESETS[preset])
    assert_same_values_and_gradients(own, reference, crops(2, edge, edge, edge))


@pytest.mark.slow
def test_the_full_network_at_96_voxels_gives_monai_s_embedding() -> None:
    own, reference = pair(PRESETS["full"])
    batch = crops(1, 96, 96, 96)
    with torch.inference_mode():
        found = own(batch)
        expected = last_stage(reference, batch)
    assert error(found, expected) < TOLERANCE
    # the cached biases of frozen tables are the same biases
    own.requires_grad_(requires_grad=False)
    with torch.inference_mode():
        assert torch.equal(own(batch), found)


@pytest.mark.parametrize("preset", ["full", "mid", "ci"])
@pytest.mark.parametrize("merging", ["fixed", "legacy"])
def test_names_and_draws_of_the_weights_are_monai_s(preset: Preset, merging: Merging) -> None:
    expected = monai(PRESETS[preset], merging=merging, seed=5).state_dict()
    torch.manual_seed(5)
    found = SwinBackbone(PRESETS[preset], channels=3, merging=merging).state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_the_network_is_built_without_importing_monai() -> None:
    code = """
import sys
from hnmets.networks.architecture import PRESETS
from hnmets.networks.swin import random_encoder
random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
print("monai" in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert ended.stdout.strip() == "False"


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("shifted", [False, True])
def test_tokens_come_back_from_their_windows(batch: int, shifted: bool) -> None:
    grid = WindowGrid((5, 6, 2), window=3, shifted=shifted)
    tokens = crops(batch, 5, 6, 2).permute(0, 2, 3, 4, 1)
    windows = grid.windows(tokens)
    assert windows.shape == (4 * batch, 18, 3)
    torch.testing.assert_close(grid.tokens(windows, batch), tokens, rtol=0, atol=0)
    # five tokens in two windows of three leave one place of six empty
    assert int((windows == 0).all(dim=2).sum()) == batch * 1 * 6 * 2


def test_windows_shift_by_half_of_their_edge_around_the_end() -> None:
    grid = WindowGrid((1, 1, 6), window=4, shifted=True)
    tokens = torch.arange(1.0, 7).reshape(1, 1, 1, 6, 1)
    # padded to 8, rolled by 2: 3 4 5 6 | pad pad 1 2
    assert grid.windows(tokens).squeeze(2).tolist() == [[3, 4, 5, 6], [0, 0, 1, 2]]
    assert grid.counts == [1, 1]
    inside, end = grid.masks.squeeze(1)
    assert not inside.any()
    near, far = [0, 0, APART, APART], [APART, APART, 0, 0]
    assert end.tolist() == [near, near, far, far]


def test_the_gradient_of_windows_is_the_way_back() -> None:
    grid = WindowGrid((3, 2, 3), window=2, shifted=True)
    tokens = crops(2, 3, 2, 3).permute(0, 2, 3, 4, 1).requires_grad_()
    assert torch.autograd.gradcheck(grid.windows, (tokens,))
    windows = grid.windows(tokens).detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda rows: grid.tokens(rows, 2), (windows,))


def test_a_pair_s_table_entry_tells_its_offset() -> None:
    index = relative_positions(2)
    # tokens (0,0,0) and (1,1,1) of 2³; the table is 3³, its middle, 13, is no offset
    assert index.diagonal().tolist() == [13] * 8
    assert (int(index[0, 7]), int(index[7, 0])) == (0, 26)
    assert (int(index[4, 0]), int(index[2, 0]), int(index[1, 0])) == (22, 16, 14)


def attention(network: nn.Module) -> list[WindowAttention]:
    return [module for module in network.modules() if isinstance(module, WindowAttention)]


def frozen(seed: int = 0) -> SwinEncoder:
    network = random_encoder(CI, channels=3, merging="fixed", seed=seed)
    network.freeze_position_tables()
    return network


def test_frozen_position_tables_get_no_gradient_and_all_else_does() -> None:
    network, batch = frozen().train(), crops(1, 32, 32, 32).float()
    network(batch).sum().backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {
        f"backbone.layers{place}.0.blocks.0.attn.relative_position_bias_table"
        for place in (1, 2, 3, 4)
    }


def test_freezing_position_tables_changes_no_other_gradient() -> None:
    batch = crops(1, 32, 32, 32)
    free, held = pair(CI)[0], pair(CI)[0]
    for module in attention(held):
        module.relative_position_bias_table.requires_grad_(False)
    free(batch).square().sum().backward()
    held(batch).square().sum().backward()
    expected = dict(free.named_parameters())
    for name, parameter in held.named_parameters():
        wanted = expected[name].grad
        assert wanted is not None
        if parameter.grad is not None:
            assert error(parameter.grad, wanted) < TOLERANCE, name


def test_weights_loaded_into_a_frozen_network_are_the_ones_that_count() -> None:
    batch = crops(1, 32, 32, 32).float()
    network, other = frozen(), frozen(seed=1)
    with torch.inference_mode():
        network(batch)
        network.load_state_dict(other.state_dict())
        assert torch.equal(network(batch), other(batch))


def test_a_bias_kept_for_inference_serves_training_and_another_type() -> None:
    # a crop of another size than the preset's: its windows are laid out for inference, too
    network, batch = frozen(), crops(1, 64, 64, 64)
    with torch.inference_mode():
        single = network(batch.float())
    # a compiled training step keeps buffers for its backward pass: torch refuses these there
    assert not any(buffer.is_inference() for buffer in network.buffers())
    network.train()(batch.float()).sum().backward()
    double = network.double()(batch)
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-5)


def test_a_network_built_for_inference_alone_embeds() -> None:
    batch = crops(1, 32, 32, 32).float()
    with torch.inference_mode():
        found = frozen()(batch)
    torch.testing.assert_close(found, frozen()(batch), rtol=0, atol=0)


def test_one_network_takes_crops_of_several_sizes_in_turn() -> None:
    network = frozen()
    first, second = crops(1, 32, 32, 32).float(), crops(1, 64, 64, 64).float()
    with torch.inference_mode():
        before, _, after = network(first), network(second), network(first)
    assert torch.equal(before, after)


def test_an_edge_that_is_no_multiple_of_32_is_refused() -> None:
    with pytest.raises(ValueError, match=r"edges \(32, 48, 32\) must be multiples of 32"):
        frozen()(crops(1, 32, 48, 32).float())


def test_pooling_keeps_float64_and_normalises_half_precision_in_float32() -> None:
    network = frozen()
    maps = torch.randn((2, 192, 2, 2, 2), dtype=torch.float64, generator=torch.manual_seed(4))
    # hand-made: zero mean and unit variance of each token, then the mean over the tokens
    tokens = maps.flatten(2)
    centred = tokens - tokens.mean(dim=1, keepdim=True)
    scale = (tokens.var(dim=1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    exact = (centred / scale).mean(dim=2)
    pooled = network.pooled(maps)
    assert pooled.dtype == torch.float64
    torch.testing.assert_close(pooled, exact, rtol=1e-12, atol=1e-14)
    half = network.pooled(maps.half())
    assert half.dtype == torch.float32
    assert torch.equal(half, network.pooled(maps.half().float()))


def test_the_two_mergings_take_the_octants_of_monai() -> None:
    cube = crops(1, 4, 4, 4).permute(0, 2, 3, 4, 1)
    for merging, theirs in (("fixed", PatchMerging(dim=3)), ("legacy", OldMerging(dim=3))):
        own = OwnMerging(3, octants=OCTANTS[merging]).double()
        own.load_state_dict(theirs.state_dict())
        assert error(own(cube), theirs.double()(cube)) < TOLERANCE


# Of torch's own tracing of a function with a gradient of its own.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_the_network_is_one_graph_with_the_same_values_and_gradients() -> None:
    network = frozen().train()
    batch = crops(2, 32, 32, 32).float()
    traced = torch.compile(network, backend="aot_eager", fullgraph=True, dynamic=False)
    gradients = []
    for run in (network, traced):
        network.zero_grad()
        found = run(batch)
        found.square().sum().backward()
        held = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
        gradients.append(torch.cat([found.detach().flatten(), *held]))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


@needs_gpu
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float16, 2e-3)])
def test_a_gpu_is_as_exact_as_its_precision(dtype: torch.dtype, tolerance: float) -> None:
    network, batch = random_encoder(CI, channels=3, merging="fixed", seed=0), crops(4, 32, 32, 32)
    with torch.inference_mode():
        exact = network.double()(batch)
        found = network.to("cuda", dtype)(batch.to("cuda", dtype)).double().cpu()
    assert error(found, exact) < tolerance


@needs_gpu
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_compiled_network_in_a_graph_gives_the_same_features_again_and_again() -> None:
    network = frozen().to("cuda", torch.float16)
    compiled = torch.compile(network, mode="reduce-overhead", fullgraph=True, dynamic=False)
    batches = [crops(4, 32, 32, 32).to("cuda", torch.float16) * share for share in (1.0, 0.5)]
    with torch.inference_mode():
        for _ in range(3):
            for batch in batches:
                assert error(compiled(batch).clone(), network(batch)) < 2e-3


@needs_gpu
def test_gradients_in_bf16_point_where_those_of_float32_do() -> None:
    network = random_encoder(CI, channels=3, merging="fixed", seed=0).train().cuda()
    batch = crops(4, 32, 32, 32).float().cuda()
    gradients = []
    for enabled in (False, True):
        network.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=enabled):
            network(batch).square().sum().backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
        )
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99
