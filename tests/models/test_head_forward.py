import numpy as np
import pytest
import torch

from hnmets.models.head_forward import gates, logits
from hnmets.models.head_layout import HeadLayout
from hnmets.models.head_loss import losses
from hnmets.models.head_parameters import Fusion
from hnmets.models.head_start import initial_weights
from tests.models.heads import WIDTHS, plain_logits

CPU = torch.device("cpu")
LAYOUTS = [
    HeadLayout(WIDTHS, fusion, 4, (6, 3)) for fusion in ("concatenation", "gated", "attention")
]


def tensor(*values: float | list[float]) -> torch.Tensor:
    return torch.tensor(values)


def test_a_tiny_concatenation_gives_what_is_computed_by_hand() -> None:
    # Columns 2 and 3 are a modality of one column beside one of two that is projected to one.
    layout = HeadLayout((2, 1), "concatenation", 1, (2,))
    weights = {
        "project.0.weight": tensor([[1.0], [-2.0]]),
        "project.0.bias": tensor([[0.5]]),
        "layer.0.weight": tensor([[1.0, -1.0], [2.0, 1.0]]),
        "layer.0.bias": tensor([[0.0, 0.25]]),
        "out.weight": tensor([[3.0], [10.0]]),
        "out.bias": tensor([[-1.0]]),
    }
    # relu(3 − 2·1 + 0.5) = 1.5; relu(1.5 + 2·0.5) = 2.5, relu(−1.5 + 0.5 + 0.25) = 0
    # 3·2.5 + 10·0 − 1 = 6.5
    found = logits(weights, tensor([[3.0, 1.0, 0.5]]), layout)
    assert found.tolist() == [[6.5]]


def test_equal_gates_give_the_mean_of_the_modalities() -> None:
    layout = HeadLayout((1, 1), "gated", 1, ())
    ones, zero = tensor([[1.0]]), tensor([[0.0]])
    weights = {
        **{f"project.{place}.weight": ones for place in (0, 1)},
        **{f"project.{place}.bias": zero for place in (0, 1)},
        "gate.weight": torch.zeros(1, 2, 2),
        "gate.bias": torch.zeros(1, 1, 2),
        "out.weight": ones,
        "out.bias": zero,
    }
    found = logits(weights, tensor([[0.3, -0.7]]), layout)
    assert found.item() == pytest.approx((np.tanh(0.3) + np.tanh(-0.7)) / 2, rel=1e-6)


def test_gates_of_a_patient_sum_to_one() -> None:
    weights = initial_weights([LAYOUTS[1]], [3], CPU)
    shares = gates(weights, list(torch.randn(3, 1, 5, 4)))
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(1, 5))
    assert shares.min() > 0


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.fusion)
def test_values_and_gradients_of_each_member_are_those_of_plain_torch(layout: HeadLayout) -> None:
    generator = torch.Generator().manual_seed(1)
    weights = {
        name: weight.detach().double().requires_grad_()
        for name, weight in initial_weights([layout] * 3, [5, 6, 7], CPU).items()
    }
    inputs = torch.randn((3, 9, 12), generator=generator, dtype=torch.float64)
    events = (torch.rand((3, 9), generator=generator) < 0.4).double()
    by_class = 1 + events
    found = logits(weights, inputs, layout)
    loss = losses(found, events, by_class, torch.zeros(3, 1, dtype=torch.float64)).sum()
    gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
    for row in range(3):
        own = {name: weight[row].detach().requires_grad_() for name, weight in weights.items()}
        plain = plain_logits(layout, own, inputs[row])
        torch.testing.assert_close(found[row], plain)
        expected = torch.nn.functional.binary_cross_entropy_with_logits(
            plain, events[row], weight=by_class[row]
        )
        for name, gradient in zip(
            own, torch.autograd.grad(expected, list(own.values())), strict=True
        ):
            torch.testing.assert_close(gradients[name][row], gradient)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.fusion)
def test_every_gradient_lies_in_memory_as_its_weight_does(layout: HeadLayout) -> None:
    # The fused kernel walks along memory: a transposed gradient would train garbage silently.
    weights = initial_weights([layout] * 2, [1, 2], CPU)
    loss = logits(weights, torch.randn(2, 8, 12), layout).sum()
    for gradient in torch.autograd.grad(loss, list(weights.values())):
        assert gradient.is_contiguous()


@pytest.mark.parametrize("fusion", ["concatenation", "gated", "attention"])
def test_one_modality_alone_needs_nothing_to_fuse(fusion: Fusion) -> None:
    layout = HeadLayout((12,), fusion, 4, (3,))
    assert set(layout.linear) == {"project.0", "layer.0", "out"}
    weights = initial_weights([layout], [1], CPU)
    assert logits(weights, torch.randn(1, 5, 12), layout).isfinite().all()


def test_dropped_units_count_nothing_and_the_others_more() -> None:
    layout = HeadLayout((1,), "concatenation", 1, (2,))
    weights = {
        "layer.0.weight": tensor([[1.0, 1.0]]),
        "layer.0.bias": tensor([[0.0, 0.0]]),
        "out.weight": tensor([[1.0], [10.0]]),
        "out.bias": tensor([[0.0]]),
    }
    found = logits(weights, tensor([[3.0]]), layout, tensor([[2.0, 0.0]]))
    assert found.item() == 6.0


def test_focal_loss_is_the_published_formula_and_cross_entropy_at_gamma_0() -> None:
    p = torch.tensor([[0.9, 0.2]])
    z, events = p.logit(), tensor([1.0, 0.0])
    weights = tensor([1.0, 3.0])
    # mean of 1·(1−0.9)²·(−log 0.9) and 3·(1−0.8)²·(−log 0.8)
    expected = (0.01 * -np.log(0.9) + 3 * 0.04 * -np.log(0.8)) / 2
    assert losses(z, events, weights, torch.tensor([[2.0]])).item() == pytest.approx(expected)
    cross = (-np.log(0.9) - 3 * np.log(0.8)) / 2
    assert losses(z, events, weights, torch.zeros(1, 1)).item() == pytest.approx(cross)


def test_the_loss_of_a_certain_head_has_a_finite_gradient() -> None:
    z = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = losses(z, tensor([1.0, 1.0]), tensor([1.0, 1.0]), torch.zeros(1, 1))
    (gradient,) = torch.autograd.grad(loss.sum(), z)
    assert gradient.isfinite().all()


def test_a_row_without_weight_does_not_count() -> None:
    z = torch.tensor([[1.0, -5.0]])
    events, weights = tensor([0.0, 1.0]), tensor([1.0, 0.0])
    alone = losses(z[:, :1], events[:, :1], weights[:, :1], torch.zeros(1, 1))
    assert losses(z, events, weights, torch.zeros(1, 1)).item() == alone.item()
