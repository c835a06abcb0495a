import numpy as np
import pytest
import torch
from torch import Tensor

from hnmets.explanation.grad_cam import grad_cam
from hnmets.networks.classifier import Classifier
from hnmets.networks.encoder import Encoder
from tests.explanation.networks import crop_with_cube, swin, trained_on_cubes


class ReadsQuadrant(Encoder):
    """Shows its head the CT of one quadrant of the plane in blocks of 2³, and nothing else."""

    embedding_size = 2

    def maps(self, crops: Tensor) -> Tensor:
        blocks = torch.nn.functional.avg_pool3d(crops[:, :1], 2)
        seen = torch.zeros_like(blocks)
        seen[..., :4, 4:] = blocks[..., :4, 4:]
        return torch.cat([seen, -seen], dim=1)


def random_crop(edge: int) -> np.ndarray:
    return np.random.default_rng(0).random((3, edge, edge, edge), dtype=np.float32)


def test_a_network_that_reads_one_quadrant_lights_that_quadrant() -> None:
    classifier = Classifier(ReadsQuadrant(), prevalence=0.3).eval()
    with torch.no_grad():
        classifier.head.weight.copy_(torch.tensor([[3.0, 1.0]]))
    found = grad_cam(classifier, random_crop(16))
    assert found.places == (8, 8, 8)
    # Interpolation reaches one voxel over the border.
    assert (found.map[:, :7, 9:] > 0).all()
    elsewhere = found.map.copy()
    elsewhere[:, :9, 7:] = 0
    assert not elsewhere.any()


@pytest.mark.parametrize("cube", [True, False])
def test_the_map_sums_to_the_log_odds_without_the_bias(cube: bool) -> None:
    crop, _ = crop_with_cube(np.random.default_rng(1), cube=cube)
    network = trained_on_cubes()
    with torch.no_grad():
        expected = float(network(torch.from_numpy(crop)[None]) - network.head.bias)
    assert grad_cam(network, crop).map.sum() == pytest.approx(expected, abs=1e-4)


def test_a_swin_s_map_lies_behind_its_layer_norm() -> None:
    network, crop = swin("mid"), random_crop(64)
    found = grad_cam(network, crop)
    assert found.places == (2, 2, 2)
    assert found.tells_where
    with torch.no_grad():
        expected = float(network(torch.from_numpy(crop)[None]) - network.head.bias)
    assert found.map.sum() == pytest.approx(expected, abs=1e-4)
    # In front of it gradient times token is nothing: a layer norm ignores a token's scale.
    maps = network.encoder.maps(torch.from_numpy(crop)[None]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network.from_maps(maps).sum(), maps)
    assert float((gradient * maps.detach()).sum(dim=1).abs().max()) < 1e-4 * abs(expected)


def test_a_map_of_one_place_says_that_it_tells_nothing_of_where() -> None:
    found = grad_cam(swin("ci"), random_crop(32))
    assert found.places == (1, 1, 1)
    assert not found.tells_where
    assert np.ptp(found.map) == 0
