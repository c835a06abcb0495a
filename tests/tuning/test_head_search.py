from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hnmets.models.head_member import Member, Trained
from hnmets.models.stack import train
from hnmets.tuning import head_search
from hnmets.tuning.head_search import HeadSearch
from tests.builders_searches import CHOSEN, EMBEDDING, QUICK, RING, TUMOUR, part

PARTS = [part(0), part(1), part(2)]
WIDER = replace(CHOSEN, radiomics=(TUMOUR, RING), embedding=(EMBEDDING,), top=6, components=4)
GATED = replace(WIDER, head=replace(QUICK, fusion="gated", hidden=(4,), learning_rate=5e-3))


def search(**changes: object) -> HeadSearch:
    return replace(HeadSearch(parts=PARTS, seed=7, at_once=30), **changes)  # type: ignore[arg-type]  # any field


def test_a_configuration_in_a_batch_is_worth_what_it_is_worth_alone() -> None:
    batch = [CHOSEN, WIDER, GATED]
    for chosen, together in zip(batch, search().tried(batch), strict=True):
        (alone,) = search().tried([chosen])
        np.testing.assert_allclose(together.aucs, alone.aucs, atol=0.02)
        np.testing.assert_allclose(together.curves[0], alone.curves[0], rtol=1e-3)


def test_what_tells_the_outcome_is_found_and_noise_is_not() -> None:
    chosen = replace(CHOSEN, head=replace(QUICK, epochs=30, patience=30, learning_rate=1e-2))
    telling = [part(seed, rows=300, signal=1.5) for seed in range(3)]
    noise = [part(seed, rows=300, signal=0.0) for seed in range(3)]
    (found,), (chance,) = (search(parts=parts).tried([chosen]) for parts in (telling, noise))
    assert found.value > 0.75
    assert 0.35 < chance.value < 0.65


def test_a_diverged_trial_fails_with_its_reason_and_the_others_go_on() -> None:
    wild = replace(CHOSEN, head=replace(QUICK, learning_rate=1e30))
    failed, fine = search().tried([wild, CHOSEN])
    assert failed.failure.startswith("the loss of inner fold 1 was not finite after epoch")
    assert not fine.failure
    assert len(fine.aucs) == 3


def test_a_trial_is_judged_by_the_mean_of_its_folds_and_ends_in_all_of_them() -> None:
    seen: list[tuple[int, int, float]] = []

    def ends(place: int, epoch: int, value: float) -> bool:
        seen.append((place, epoch, value))
        return place == 1 and epoch == 2

    first, second = search(rungs=(2, 4)).tried([CHOSEN, WIDER], on_rung=ends)
    assert sorted({(place, epoch) for place, epoch, _ in seen}) == [(0, 2), (0, 4), (1, 2)]
    assert [len(curve) for curve in second.curves] == [2, 2, 2]
    assert (first.ended_at, second.ended_at) == (0, 2)
    told = next(value for place, epoch, value in seen if (place, epoch) == (1, 2))
    assert second.value == pytest.approx(told)


class Full:
    """A device whose memory holds so many heads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []

    def __call__(
        self, members: Sequence[Member], *, at_once: int, **kept: object
    ) -> list[Trained]:
        self.asked.append(at_once)
        if min(len(members), at_once) > self.most or any(
            member.parameters.hidden == (4,) for member in members
        ):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return train(members, at_once=at_once, **kept)  # type: ignore[arg-type]  # handed through


def test_a_full_memory_is_halved_until_it_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Full(6)
    monkeypatch.setattr(head_search, "train", device)
    tried = search().tried([CHOSEN] * 8)
    assert device.asked == [30, 15, 6]
    assert not any(each.failure for each in tried)


def test_whom_memory_never_suffices_for_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_search, "train", Full(100))
    fine, failed = search().tried([CHOSEN, GATED])
    assert not fine.failure
    assert failed.failure.startswith("out of memory: DefaultCPUAllocator")
