import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import Tensor

from hnmets.domain.variant import Variant
from hnmets.extractors.embedding import network_input
from hnmets.models.backbone.augmentation import NOISE, drawn_placement, with_noise
from hnmets.models.backbone.crops import Crops, resident
from hnmets.models.backbone.parameters import SAFE_AUGMENTATIONS, Augmentation
from tests.models.backbone.small import EDGE, crop

N = 64


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def many(levels: Tensor) -> Crops:
    """The same crop many times."""
    masks = (levels % 3).to(torch.uint8)
    ct = levels.to(torch.int16)
    return Crops(ct=ct.expand(N, -1, -1, -1), masks=masks.expand(N, -1, -1, -1))


def random_levels() -> Tensor:
    return torch.randint(0, 30000, (EDGE, EDGE, EDGE), generator=generator())


def changed(crops: Crops, augment: tuple[Augmentation, ...], seed: int = 0) -> Tensor:
    placement = drawn_placement(augment, N, edge=EDGE, generator=generator(seed))
    return crops.batch(torch.arange(N), placement)


def held(batch: Tensor, candidates: list[Tensor]) -> set[int]:
    """Which of the candidates occur in the batch; each of its crops must be one of them."""
    places = []
    for item in batch:
        (place,) = {i for i, c in enumerate(candidates) if torch.equal(item, c)}
        places.append(place)
    return set(places)


@pytest.mark.parametrize("variant", ["both", "tumour", "ring"])
def test_a_batch_is_what_the_embedding_would_be_made_from(variant: Variant) -> None:
    rng = np.random.default_rng(0)
    drawn = [crop(rng) for _ in range(4)]
    batch = resident(drawn, variant=variant, device="cpu").batch(torch.tensor([2, 0]))
    expected = np.stack([network_input(drawn[i], variant) for i in (2, 0)])
    np.testing.assert_array_equal(batch.numpy(), expected)


def test_crops_take_three_bytes_per_voxel() -> None:
    crops = resident([crop(np.random.default_rng(0))], device="cpu")
    assert crops.ct.element_size() + crops.masks.element_size() == 3


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("flip-x", lambda c: c.flip(3)),
        ("flip-y", lambda c: c.flip(2)),
        ("flip-z", lambda c: c.flip(1)),
        ("turn-180", lambda c: c.rot90(2, (2, 3))),
        ("transpose", lambda c: c.transpose(2, 3)),
    ],
)
def test_half_of_the_crops_are_changed_as_the_name_says(name: Augmentation, law: object) -> None:
    crops = many(random_levels())
    plain = crops.batch(torch.tensor([0]))[0]
    assert held(changed(crops, (name,)), [plain, law(plain)]) == {0, 1}  # type: ignore[operator] # a lambda of the table


def test_changes_of_place_compose_in_every_way() -> None:
    crops = many(random_levels())
    plain = crops.batch(torch.tensor([0]))[0]
    candidates = [
        moved
        for z in (plain, plain.flip(1))
        for turned in (z, z.rot90(2, (2, 3)))
        for moved in (turned, turned.transpose(2, 3))
    ]
    assert held(changed(crops, ("flip-z", "turn-180", "transpose")), candidates) == set(range(8))


def test_a_shift_moves_by_one_voxel_at_most_and_repeats_the_border() -> None:
    levels = torch.arange(EDGE).expand(EDGE, EDGE, EDGE)
    batch = changed(many(levels), ("shift",))[:, 0]
    rows = ((batch * 65535).round().long() - 32768)[:, 0, 0]
    expected = [(torch.arange(EDGE) + by).clamp(0, EDGE - 1).tolist() for by in (-1, 0, 1)]
    assert sorted({tuple(row) for row in rows.tolist()}) == sorted(map(tuple, expected))


def test_the_safe_changes_keep_the_diagonal_that_a_flip_of_x_turns() -> None:
    across = torch.arange(EDGE) - (EDGE - 1) / 2
    diagonal = (torch.sign(across[:, None] * across[None, :]) * 100 + 100).long()
    crops = many(diagonal.expand(EDGE, EDGE, EDGE).contiguous())
    plain = crops.batch(torch.tensor([0]))[0]
    still = tuple(name for name in SAFE_AUGMENTATIONS if name != "shift")
    assert held(changed(crops, still), [plain]) == {0}
    assert held(changed(crops, ("flip-x",)), [plain, plain.flip(3)]) == {0, 1}


def test_without_augmentation_nothing_moves() -> None:
    crops = many(random_levels())
    assert torch.equal(changed(crops, ()), crops.batch(torch.arange(N)))


def test_noise_is_two_hundredths_of_the_window_and_leaves_the_masks() -> None:
    batch = many(random_levels()).batch(torch.arange(N))
    noisy = with_noise(batch.clone(), generator())
    assert torch.equal(noisy[:, 1:], batch[:, 1:])
    # 32768 draws: the deviation is known to 0.4 %
    assert (noisy - batch)[:, 0].std().item() == pytest.approx(NOISE, rel=0.02)


def test_the_same_generator_state_draws_the_same_changes() -> None:
    crops = many(random_levels())
    one, same, other = (changed(crops, SAFE_AUGMENTATIONS, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_training_needs_neither_the_store_nor_the_imaging_libraries() -> None:
    code = """
import sys
import hnmets.models.backbone.training
import hnmets.networks.backbones
import hnmets.networks.classifier_file
foreign = {"duckdb", "polars", "SimpleITK", "pydantic", "scipy", "sklearn"}
print(*sorted(foreign & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == ""
