import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hnmets.models.head_batches import PADDING, epoch_batches
from hnmets.models.head_member import HeadRows, Member, Trained
from hnmets.models.head_padding import kind_of
from hnmets.models.stack import Judge, train
from tests.models.heads import member, rows_of


def mixed() -> list[Member]:
    """Members that differ in rows, rates, dropout, losses, layout and when they stop."""
    return [
        member(0),
        member(1, 47, learning_rate=1e-2, dropout=0.0),
        member(2, 49, loss="focal", weighting="none"),
        member(3, 70),
        member(4, fusion="gated"),
        member(5, fusion="attention", epochs=2),
        member(6, epochs=40, patience=2, learning_rate=3e-2),
        member(7, epochs=1),
        member(8, sparsity=1.0),
        member(9, sparsity=2.0, epochs=2),
        member(10, fusion="attention", sparsity=1.0),
    ]


def same(first: Trained, second: Trained, tolerance: float) -> None:
    np.testing.assert_allclose(first.losses, second.losses, rtol=tolerance, atol=tolerance)
    for name, weight in first.weights.items():
        np.testing.assert_allclose(weight, second.weights[name], rtol=tolerance, atol=tolerance)


def test_each_member_of_a_stack_becomes_what_it_becomes_alone() -> None:
    members = mixed()
    for alone, together in zip(members, train(members), strict=True):
        same(train([alone])[0], together, 1e-4)


def test_the_same_members_give_the_same_bytes() -> None:
    for first, second in zip(train(mixed()), train(mixed()), strict=True):
        same(first, second, 0)


def test_how_many_are_trained_at_once_does_not_matter() -> None:
    for first, second in zip(train(mixed(), at_once=1), train(mixed()), strict=True):
        same(first, second, 1e-4)


def test_the_number_of_threads_is_put_back() -> None:
    before = torch.get_num_threads()
    train([member(0)])
    assert torch.get_num_threads() == before


def test_seeds_give_different_heads_of_the_same_rows() -> None:
    first, second = train([member(0, rows=0), member(1, rows=0)])
    assert not np.allclose(first.weights["out.weight"], second.weights["out.weight"])


def test_each_row_is_seen_once_per_epoch_in_another_order() -> None:
    members = [member(0, 50), member(1, 47)]
    first, second = epoch_batches(members, 0), epoch_batches(members, 1)
    for place, rows in enumerate((50, 47)):
        seen = first[:, place][first[:, place] != PADDING]
        assert sorted(seen.tolist()) == list(range(rows))
    # 50 rows in steps of 16 at most: four steps of 13, 13, 12, 12.
    assert [(step != PADDING).sum() for step in first[:, 0]] == [13, 13, 12, 12]
    assert (first != second).any()


def test_training_lowers_the_loss_and_the_lowest_is_kept() -> None:
    (trained,) = train([member(3, 200, epochs=30, patience=30, learning_rate=1e-2)])
    assert trained.losses.min() < trained.losses[0]
    assert trained.epoch == int(np.argmin(trained.losses)) + 1


def test_kept_weights_are_those_of_the_lowest_loss_not_of_the_last_epoch() -> None:
    parameters: dict[str, Any] = {"learning_rate": 5e-2, "dropout": 0.0}
    (trained,) = train([member(1, epochs=60, patience=6, **parameters)])
    assert trained.epoch == len(trained.losses) - 6
    # The rates of a run over 60 epochs, left after as many epochs as the lowest loss needed.
    (longer,) = train([member(1, epochs=60, patience=7, **parameters)])
    assert len(longer.losses) > len(trained.losses)
    np.testing.assert_array_equal(longer.losses[: len(trained.losses)], trained.losses)


def test_a_member_stops_by_its_choosing_rows_alone() -> None:
    learned = member(1, epochs=60, patience=5, learning_rate=3e-2)
    turned = replace(
        learned,
        choosing=HeadRows(inputs=learned.choosing.inputs, outcome=~learned.choosing.outcome),
    )
    right, wrong = train([learned, turned])
    # What is learned makes the loss of the turned outcome worse from the first epochs on.
    assert wrong.epoch < right.epoch


def test_a_loss_that_is_not_finite_ends_one_member_and_no_other() -> None:
    broken = member(0)
    inputs = broken.fitting.inputs.copy()
    inputs[3, 3] = np.inf
    broken = replace(broken, fitting=HeadRows(inputs=inputs, outcome=broken.fitting.outcome))
    well = member(1)
    ended, going = train([broken, well])
    assert ended.diverged
    assert len(ended.losses) == 1
    assert not going.diverged
    same(going, train([well])[0], 1e-4)


def test_balanced_classes_raise_the_log_odds() -> None:
    rows = rows_of(0, 200, signal=0.0)
    even = [
        train([replace(member(0, weighting=w, epochs=30, patience=30), fitting=rows)])[0]
        for w in ("none", "balanced")
    ]
    assert even[1].weights["out.bias"].item() > even[0].weights["out.bias"].item()


def test_the_trainer_needs_numpy_and_torch_alone() -> None:
    program = (
        "import sys, hnmets.models.stack\n"
        "print([m for m in ('sklearn', 'scipy', 'polars', 'duckdb', 'pydantic', 'safetensors', "
        "'SimpleITK', 'monai') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_trains_what_a_cpu_trains() -> None:
    for here, there in zip(train(mixed()), train(mixed(), device="cuda"), strict=True):
        np.testing.assert_allclose(here.losses, there.losses, rtol=1e-2)


def of_widths(*widths: int, seed: int = 0, **changes: Any) -> Member:  # noqa: ANN401 - any parameter
    """A member with so many columns of each modality."""
    columns = sum(widths)
    return replace(
        member(seed, **changes),
        widths=widths,
        fitting=rows_of(seed, 50, columns=columns),
        choosing=rows_of(seed + 1000, 20, columns=columns),
    )


@pytest.mark.parametrize("fusion", ["concatenation", "gated", "attention"])
def test_heads_of_other_widths_share_a_stack_and_become_what_they_become_alone(
    fusion: str,
) -> None:
    members = [
        of_widths(7, 3, 2, fusion=fusion),
        of_widths(5, 2, 4, seed=1, fusion=fusion),
        of_widths(9, 1, 3, seed=2, fusion=fusion),
    ]
    assert len({kind_of(each.layout) for each in members}) == 1
    for alone, together in zip(members, train(members), strict=True):
        # Where a gradient is nothing but rounding, AdamW makes steps of it.
        same(train([alone])[0], together, 3e-3)


def test_heads_without_projections_share_a_stack_whatever_their_modalities() -> None:
    members = [of_widths(3, 2), of_widths(4, 4, 1, seed=1), of_widths(2, seed=2)]
    assert len({kind_of(each.layout) for each in members}) == 1
    trained = train(members)
    assert [len(each.weights["layer.0.weight"]) for each in trained] == [5, 9, 2]
    for alone, together in zip(members, trained, strict=True):
        same(train([alone])[0], together, 1e-4)


def test_a_judge_ends_members_and_sees_those_that_have_ended() -> None:
    members = [member(0, epochs=1), member(1, epochs=6, patience=6), member(2, epochs=6)]
    asked: list[tuple[int, set[int]]] = []

    def stops(epoch: int, so_far: Mapping[int, Trained]) -> list[int]:
        asked.append((epoch, set(so_far)))
        assert len(so_far[1].losses) == epoch
        return [1]

    trained = train(members, judge=Judge(epochs={3}, stops=stops))
    assert asked == [(3, {0, 1, 2})]
    assert [len(each.losses) for each in trained] == [1, 3, 6]
    same(trained[2], train([members[2]])[0], 1e-4)


def test_sparse_heads_of_other_widths_share_a_stack() -> None:
    members = [of_widths(3, 2, sparsity=2.0), of_widths(4, 4, 1, seed=1, sparsity=1.0)]
    for alone, together in zip(members, train(members), strict=True):
        same(train([alone])[0], together, 1e-4)
