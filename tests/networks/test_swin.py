import hashlib
import subprocess
import sys

import pytest
import torch
from monai.networks.nets.swin_unetr import SwinTransformer
from torch import Tensor

from hnmets.networks.architecture import PRESETS, Merging, Preset
from hnmets.networks.swin import SwinEncoder, random_encoder
from hnmets.networks.swin_forward import OCTANTS, PatchMerging

CI = PRESETS["ci"]


def crops(n: int = 1, *, channels: int = 3, edge: int = 32, seed: int = 1) -> Tensor:
    return torch.rand((n, channels, edge, edge, edge), generator=torch.manual_seed(seed))


def encoder(preset: Preset = "ci", *, merging: Merging = "fixed", seed: int = 0) -> SwinEncoder:
    return random_encoder(PRESETS[preset], channels=3, merging=merging, seed=seed)


def embedded(network: SwinEncoder, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        found: Tensor = network(batch)
    return found


@pytest.mark.parametrize(("preset", "edge", "size"), [("ci", 32, 192), ("mid", 64, 384)])
def test_a_preset_embeds_its_crop_in_as_many_numbers_as_stated(
    preset: Preset, edge: int, size: int
) -> None:
    architecture = PRESETS[preset]
    assert (architecture.size_voxels, architecture.embedding_size) == (edge, size)
    assert embedded(encoder(preset), crops(edge=edge)).shape == (1, size)


@pytest.mark.slow
def test_the_full_preset_embeds_96_voxels_in_768_numbers() -> None:
    found = embedded(encoder("full"), crops(edge=96))
    assert found.shape == (1, 768)
    assert found.isfinite().all()


def test_the_full_preset_has_the_parameters_of_swin_unetr_s_encoder() -> None:
    # 8.06 million with two input channels, as measured on MONAI 1.6.1; a third adds 48 · 8
    count = sum(p.numel() for p in encoder("full").parameters())
    assert count == pytest.approx(8.06e6, rel=1e-3)


def test_the_encoder_is_monai_s_last_stage_normalised_and_averaged() -> None:
    network = encoder()
    monai = SwinTransformer(
        in_chans=3,
        embed_dim=12,
        window_size=(4, 4, 4),
        patch_size=(2, 2, 2),
        depths=(1, 1, 1, 1),
        num_heads=(1, 2, 4, 8),
    ).eval()
    monai.load_state_dict(network.backbone.state_dict())
    batch = crops(2)
    with torch.inference_mode():
        expected = monai(batch)[-1].mean(dim=(2, 3, 4))
    torch.testing.assert_close(embedded(network, batch), expected, rtol=1e-5, atol=1e-5)


def test_legacy_merging_takes_two_octants_twice_and_leaves_two_out() -> None:
    merging = PatchMerging(1, octants=OCTANTS["legacy"])
    tokens = torch.tensor([[3.0, 1.0], [4.0, 1.0]]), torch.tensor([[5.0, 9.0], [2.0, 6.0]])
    cube = torch.stack(tokens).reshape(1, 2, 2, 2, 1)  # cube[0, d, h, w]
    # (0,0,0) (1,0,0) (0,1,0) (0,0,1) (1,0,1) (0,1,0) (0,0,1) (1,1,1); MONAI issue 8284
    octants = torch.tensor([3.0, 5.0, 4.0, 1.0, 9.0, 4.0, 1.0, 6.0])
    normalised = (octants - octants.mean()) / (octants.var(unbiased=False) + 1e-5).sqrt()
    expected = merging.reduction.weight @ normalised
    torch.testing.assert_close(merging(cube).reshape(-1), expected)


@pytest.mark.parametrize(
    ("octant", "seen"),
    [((0, 1, 0), True), ((1, 1, 1), True), ((1, 1, 0), False), ((0, 1, 1), False)],
)
def test_legacy_merging_is_blind_to_two_octants(octant: tuple[int, int, int], seen: bool) -> None:
    merging = PatchMerging(1, octants=OCTANTS["legacy"])
    cube = torch.rand((1, 2, 2, 2, 1), generator=torch.manual_seed(3))
    changed = cube.clone()
    changed[(0, *octant, 0)] += 1
    assert torch.equal(merging(cube), merging(changed)) is not seen


def test_the_same_weights_load_into_both_mergings_and_compute_different_features() -> None:
    fixed, legacy = encoder(), encoder(merging="legacy", seed=1)
    legacy.load_state_dict(fixed.state_dict())
    one, other = embedded(fixed, crops()), embedded(legacy, crops())
    assert (one - other).norm() / one.norm() > 0.01


def test_a_seed_gives_the_same_weights_and_leaves_the_process_s_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, same, other = encoder(seed=5), encoder(seed=5), encoder(seed=6)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    batch = crops()
    assert torch.equal(embedded(one, batch), embedded(same, batch))
    assert not torch.equal(embedded(one, batch), embedded(other, batch))


def test_two_processes_compute_the_same_bits() -> None:
    code = """
import hashlib, torch
from hnmets.networks.architecture import PRESETS
from hnmets.networks.swin import random_encoder
torch.set_num_threads(1)
network = random_encoder(PRESETS["ci"], channels=3, merging="fixed", seed=0)
batch = torch.rand((1, 3, 32, 32, 32), generator=torch.manual_seed(1))
with torch.inference_mode():
    print(hashlib.sha256(network(batch).numpy().tobytes()).hexdigest())
"""
    other = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    here = embedded(encoder(), crops()).numpy().tobytes()
    torch.set_num_threads(threads)
    assert other.stdout.strip() == hashlib.sha256(here).hexdigest()
