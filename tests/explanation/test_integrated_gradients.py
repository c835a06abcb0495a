from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from hnmets.explanation.integrated_gradients import air, integrated_gradients
from hnmets.explanation.sanity import overlap
from tests.explanation.networks import Linear, crop_with_cube, swin, trained_on_cubes

RNG_SEED = 3


def test_a_linear_network_is_attributed_weight_times_step() -> None:
    rng = np.random.default_rng(RNG_SEED)
    weights, crop, baseline = (rng.normal(size=(3, 4, 5, 6)) for _ in range(3))
    found = integrated_gradients(
        Linear(weights).eval(), crop.astype(np.float32), baseline=baseline.astype(np.float32)
    )
    np.testing.assert_allclose(found.attributions, weights * (crop - baseline), atol=1e-6)
    assert found.gradients == 8  # a straight line is not halved


@pytest.mark.parametrize("cube", [True, False])
def test_the_attributions_of_a_trained_network_add_up_within_a_percent(cube: bool) -> None:
    crop, _ = crop_with_cube(np.random.default_rng(RNG_SEED), cube=cube)
    found = integrated_gradients(trained_on_cubes(), crop, baseline=air(crop))
    gained = found.log_odds - found.baseline_log_odds
    assert abs(gained) > 1
    assert found.attributions.sum() == pytest.approx(gained, rel=0.01)
    assert found.completeness_error < 0.01


def test_the_attributions_of_a_swin_add_up_within_a_percent() -> None:
    crop = np.random.default_rng(RNG_SEED).random((3, 32, 32, 32), dtype=np.float32)
    network = swin()
    found = integrated_gradients(network, crop, baseline=air(crop))
    assert found.completeness_error < 0.01
    with torch.no_grad():
        assert found.log_odds == pytest.approx(float(network(torch.from_numpy(crop)[None])))


def test_masks_that_the_baseline_keeps_are_attributed_nothing() -> None:
    crop, _ = crop_with_cube(np.random.default_rng(RNG_SEED), cube=True)
    baseline = air(crop)
    assert not baseline[0].any()
    np.testing.assert_array_equal(baseline[1:], crop[1:])
    found = integrated_gradients(trained_on_cubes(), crop, baseline=baseline)
    assert not found.attributions[1:].any()


def test_the_network_is_left_as_it_was() -> None:
    network = Linear(np.ones((3, 2, 2, 2))).eval()
    network.weights.requires_grad_()
    fixed = nn.Parameter(torch.zeros(1), requires_grad=False)
    network.register_parameter("fixed", fixed)
    crop = np.ones((3, 2, 2, 2), np.float32)
    integrated_gradients(network, crop, baseline=np.zeros_like(crop))
    assert (network.weights.requires_grad, fixed.requires_grad) == (True, False)
    assert network.weights.grad is None


def test_what_does_not_add_up_within_the_gradients_says_so() -> None:
    class Jump(torch.nn.Module):
        """Almost a step: whoever does not look there sees no gradient."""

        def __init__(self) -> None:
            super().__init__()
            self.place = torch.nn.Parameter(torch.tensor(0.31415926))

        def forward(self, crops: torch.Tensor) -> torch.Tensor:
            return ((crops.flatten(1).mean(dim=1) - self.place) * 1e7).sigmoid()

    crop = np.ones((3, 2, 2, 2), np.float32)
    network = Jump().eval()
    few = integrated_gradients(network, crop, baseline=np.zeros_like(crop), most_gradients=16)
    assert few.completeness_error > 0.5
    assert few.gradients <= 16


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_attributes_what_a_cpu_does() -> None:
    crop, _ = crop_with_cube(np.random.default_rng(RNG_SEED), cube=True)
    on_cpu = integrated_gradients(trained_on_cubes(), crop, baseline=air(crop))
    on_gpu = integrated_gradients(
        deepcopy(trained_on_cubes()).cuda(), crop, baseline=air(crop)
    ).attributions
    assert overlap(on_gpu[0], on_cpu.attributions[0] > 0) > 0.95
    assert on_gpu.sum() == pytest.approx(on_cpu.attributions.sum(), rel=0.02)


def test_a_network_in_training_mode_is_refused() -> None:
    crop, _ = crop_with_cube(np.random.default_rng(RNG_SEED), cube=True)
    with pytest.raises(ValueError, match="training mode"):
        integrated_gradients(Linear(np.zeros((3, 16, 16, 16))), crop, baseline=crop)
