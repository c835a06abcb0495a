from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hnmets.models.fusion import Fusion
from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_parameters import Fusion as Kind
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.head_sparsity import Sparsity, sparsity_of
from hnmets.models.stack import train
from tests.models.heads import auc, cohort, member, thirds

PARAMETERS = HeadParameters(
    projection=5,
    hidden=(16,),
    dropout=0.0,
    learning_rate=3e-3,
    sparsity=0.0,
    batch_size=32,
    patience=60,
)


def started(*sparsities: float, batch_size: int = 50, **changes: Any) -> Sparsity:  # noqa: ANN401 - any parameter
    """Of heads with two columns that are projected to one unit beside one that is not."""
    head = {"projection": 1, "hidden": (4,), "batch_size": batch_size} | changes
    members = [replace(member(0, sparsity=s, **head), widths=(2, 1)) for s in sparsities]
    found = sparsity_of(members, torch.device("cpu"))
    assert found is not None
    return found


def weights_of(members: int) -> dict[str, torch.Tensor]:
    by_hand = {
        "project.0.weight": [[3.0], [-0.25]],
        "layer.0.weight": [[0.1, 0.1, 0.1, 0.1], [3.0, 0.0, -4.0, 0.0]],
    }
    return {name: torch.tensor([rows] * members) for name, rows in by_hand.items()}


def test_a_column_is_shortened_by_rate_times_sparsity_times_root_of_units_per_step() -> None:
    weights = weights_of(1)
    # 50 rows in four steps: a sparsity of 2 is a strength of 2 / √4 = 1.
    started(2.0, batch_size=13).shrink(weights, [0.5])
    # √1 · 0.5 off lengths 3 and 0.25; √4 · 0.5 = 1 off the column's length of 5, 4/5 is left;
    # the row behind it reads a projection, no column, and stays.
    assert weights["project.0.weight"].tolist() == [[[2.5], [0.0]]]
    torch.testing.assert_close(
        weights["layer.0.weight"],
        torch.tensor([[[0.1, 0.1, 0.1, 0.1], [2.4, 0.0, -3.2, 0.0]]]),
        rtol=1e-6,
        atol=0,
    )


def test_what_is_left_is_the_minimum_of_half_the_square_and_the_length() -> None:
    generator = torch.Generator().manual_seed(0)
    before = torch.randn((60, 2, 3), generator=generator, dtype=torch.float64)
    after = {f"project.{place}.weight": before.clone() for place in (0, 1)}
    started(*[0.7] * 60, fusion="gated", projection=3).shrink(after, [1.0] * 60)
    left = after["project.0.weight"]

    def objective(rows: torch.Tensor) -> torch.Tensor:
        strength = np.float32(0.7).item() * 3**0.5
        return ((rows - before) ** 2).sum(2) / 2 + strength * rows.norm(dim=2)

    assert 0 < (left == 0).all(2).sum() < 120
    for _ in range(20):
        step = 0.1 * torch.randn(before.shape, generator=generator, dtype=torch.float64)
        assert (objective(left + step) > objective(left)).all()


def test_each_member_has_a_strength_and_a_rate_of_its_own() -> None:
    together = weights_of(3)
    started(0.0, 1.0, 0.5).shrink(together, [0.5, 0.5, 0.1])
    for place, (strength, rate) in enumerate([(1e-30, 0.5), (1.0, 0.5), (0.5, 0.1)]):
        alone = weights_of(1)
        started(strength).shrink(alone, [rate])
        for name, weight in alone.items():
            assert torch.equal(weight[0], together[name][place])


def test_among_others_a_member_without_sparsity_learns_what_it_learned_to_the_last_bit() -> None:
    plain = train([member(0), member(1)])[0]
    beside = train([member(0), member(1, sparsity=1.0)])[0]
    np.testing.assert_array_equal(beside.losses, plain.losses)
    for name, weight in plain.weights.items():
        np.testing.assert_array_equal(beside.weights[name], weight)


def test_the_groups_are_what_columns_send_and_nothing_else() -> None:
    def reading(widths: tuple[int, ...], kind: Kind, hidden: tuple[int, ...]) -> dict[str, int]:
        layout = HeadLayout(widths, kind, 4, hidden)
        return {name: sum(reads) for name, reads in layout.reading.items()}

    assert reading((7, 3, 2), "concatenation", (6, 3)) == {"project.0": 7, "layer.0": 5}
    assert reading((3, 2), "concatenation", ()) == {"out": 5}
    assert reading((7, 5), "concatenation", (6,)) == {"project.0": 7, "project.1": 5}
    for kind in ("gated", "attention"):
        assert reading((7, 2), kind, (6,)) == {"project.0": 7, "project.1": 2}


@pytest.mark.parametrize("kind", ["concatenation", "gated", "attention"])
def test_columns_of_noise_are_shut_out_and_those_that_tell_stay(kind: Kind) -> None:
    telling = [0, 9]
    training, choosing, held_out = thirds(cohort(3, 600, dict.fromkeys(telling, 1.5)))
    model = Fusion(parameters=replace(PARAMETERS, fusion=kind, sparsity=2.5))
    head = model.fit(training, choosing, seed=0)
    reading = {name: np.array(reads) for name, reads in head.layout.reading.items()}
    sent = [head.weights[f"{name}.weight"][reads] for name, reads in reading.items()]
    shut = np.flatnonzero(np.concatenate([(rows == 0).all(axis=1) for rows in sent]))
    # Of nine columns of noise.
    assert len(shut) >= 4
    assert not set(shut) & set(telling)
    assert auc(held_out.outcome, head.risk(held_out)) > 0.9
    changed = held_out.values.copy()
    changed[:, shut] = 77.0
    np.testing.assert_array_equal(
        head.risk(replace(held_out, values=changed)), head.risk(held_out)
    )
