import numpy as np
import pytest
import torch

from hnmets.models.head_dropout import Dropout, dropout_of

CPU = torch.device("cpu")


def factors(seeds: list[int], shares: list[float], step: int = 0) -> torch.Tensor:
    dropout = dropout_of(seeds, shares, CPU)
    assert isinstance(dropout, Dropout)
    return dropout.factors(step, rows=200, units=50)


def test_so_many_units_are_dropped_and_the_mean_stays_one() -> None:
    found = factors([1, 2], [0.25, 0.5])
    dropped = (found == 0).double().mean(dim=(1, 2)).numpy()
    # Four standard errors of a share of 10,000.
    assert (np.abs(dropped - [0.25, 0.5]) < 4 * np.sqrt([0.1875, 0.25]) / 100).all()
    assert found[0].max().item() == pytest.approx(1 / 0.75)
    assert found[1].max().item() == 2


def test_steps_seeds_rows_and_units_are_dropped_independently_of_each_other() -> None:
    here = (factors([1], [0.5])[0] > 0).double()
    for other in (
        (factors([1], [0.5], step=1)[0] > 0).double(),
        (factors([2], [0.5])[0] > 0).double(),
        here.roll(1, dims=0),
        here.roll(1, dims=1),
    ):
        # Half of the units agree by chance; four standard errors of 10,000.
        assert abs((here == other).double().mean().item() - 0.5) < 0.02


def test_a_member_drops_the_same_units_whoever_is_beside_it() -> None:
    together = factors([5, 9], [0.3, 0.1], step=7)
    torch.testing.assert_close(together[1], factors([9], [0.1], step=7)[0], rtol=0, atol=0)


def test_nobody_who_drops_is_no_dropout() -> None:
    assert dropout_of([1, 2], [0.0, 0.0], CPU) is None


def test_a_share_of_zero_beside_others_keeps_every_unit() -> None:
    assert (factors([1, 2], [0.5, 0.0])[1] == 1).all()
