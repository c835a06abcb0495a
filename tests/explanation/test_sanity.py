from collections.abc import Callable

import numpy as np
import pytest
import torch

from hnmets.explanation.grad_cam import grad_cam
from hnmets.explanation.integrated_gradients import air, integrated_gradients
from hnmets.explanation.sanity import (
    Map,
    overlap,
    rank_correlation,
    shuffled,
    weight_dependence,
)
from hnmets.networks.classifier import Classifier
from tests.explanation.networks import crop_with_cube, swin, trained_on_cubes

Method = Callable[[Classifier, np.ndarray], Map]


def gradients(network: Classifier, crop: np.ndarray) -> Map:
    return integrated_gradients(network, crop, baseline=air(crop)).attributions[0]


def activations(network: Classifier, crop: np.ndarray) -> Map:
    return grad_cam(network, crop).map


METHODS = pytest.mark.parametrize("method", [gradients, activations])


@METHODS
def test_a_map_depends_on_what_the_network_has_learned(method: Method) -> None:
    crop, _ = crop_with_cube(np.random.default_rng(5), cube=True)
    left = weight_dependence(lambda network: method(network, crop), trained_on_cubes())
    assert abs(left) < 0.3


def test_gradients_of_a_swin_depend_on_its_weights() -> None:
    crop = np.random.default_rng(0).random((3, 32, 32, 32), dtype=np.float32)
    left = weight_dependence(lambda network: gradients(network, crop), swin(), draws=2)
    assert abs(left) < 0.3


def test_a_map_of_the_picture_s_edges_does_not_pass() -> None:
    crop, _ = crop_with_cube(np.random.default_rng(5), cube=True)
    left = weight_dependence(lambda _: np.gradient(crop[0])[0], trained_on_cubes())
    assert left == pytest.approx(1.0)


@METHODS
def test_a_planted_cube_is_found(method: Method) -> None:
    rng = np.random.default_rng(6)
    found = []
    for _ in range(3):
        crop, cube = crop_with_cube(rng, cube=True)
        found.append(overlap(method(trained_on_cubes(), crop), cube))
    assert min(found) > 0.5


def test_shuffling_keeps_the_weights_and_leaves_the_network_alone() -> None:
    network = trained_on_cubes()
    before = torch.cat([weights.flatten() for weights in network.parameters()]).clone()
    other = shuffled(network, seed=1)
    after = torch.cat([weights.flatten() for weights in network.parameters()])
    assert torch.equal(before, after)
    for old, new in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(old.flatten().sort().values, new.flatten().sort().values)
    assert not torch.equal(network.head.weight, other.get_parameter("head.weight"))


def test_rank_correlation_shares_ranks_of_equal_values_and_leaves_out_common_zeros() -> None:
    # ranks 1.5, 1.5, 3 and 1, 2, 3: covariance 1.5, spreads sqrt(1.5) and sqrt(2)
    one, other = np.array([2.0, 2.0, 5.0, 0.0]), np.array([1.0, 3.0, 4.0, 0.0])
    assert rank_correlation(one, other) == pytest.approx(1.5 / np.sqrt(1.5 * 2))
    assert rank_correlation(one, -other) == pytest.approx(-1.5 / np.sqrt(1.5 * 2))


def test_half_of_a_region_is_a_third_of_the_union() -> None:
    region = np.array([True, True, False, False])
    assert overlap(np.array([1.0, 0.0, 2.0, -1.0]), region) == pytest.approx(1 / 3)
    assert overlap(np.array([1.0, 3.0, 0.0, -9.0]), region) == 1
