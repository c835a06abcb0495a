import torch

from hnmets.models.head_optimiser import Rate, stacked_adamw

RATES = (Rate(0.1, 0.0, 5), Rate(0.02, 0.3, 5), Rate(0.02, 0.3, 5))


def start() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "out.weight": torch.randn((3, 4, 2), generator=generator),
        "out.bias": torch.randn((3, 1, 2), generator=generator),
    }


def gradients(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(100 + step)
    # Axes in another order than in memory, as from the transposed weights of others.
    matrix = torch.randn((3, 2, 4), generator=generator).transpose(1, 2)
    return {"out.weight": matrix, "out.bias": torch.randn((3, 1, 2), generator=generator)}


def expected() -> list[dict[str, torch.Tensor]]:
    """Each member with an optimiser of torch of its own."""
    found = []
    for row, rate in enumerate(RATES):
        weights = {name: weight[row].clone() for name, weight in start().items()}
        theirs = torch.optim.AdamW(
            list(weights.values()), lr=rate.learning_rate, weight_decay=rate.weight_decay
        )
        for step in range(4):
            theirs.param_groups[0]["lr"] = rate.at(step)
            for name, weight in weights.items():
                weight.grad = gradients(step)[name][row]
            theirs.step()
        found.append(weights)
    return found


def require_expected(weights: dict[str, torch.Tensor]) -> None:
    for row, own in enumerate(expected()):
        for name, weight in own.items():
            torch.testing.assert_close(weights[name][row], weight)


def test_each_member_moves_as_with_an_optimiser_of_its_own() -> None:
    weights = start()
    ours = stacked_adamw(RATES, weights)
    for step in range(4):
        ours.update(gradients(step), step)
    require_expected(weights)


def test_the_form_for_gpus_moves_as_that_for_cpus() -> None:
    weights = start()
    ours = stacked_adamw(RATES, weights)
    for step in range(4):
        ours.steps += 1
        ours._elementwise(gradients(step), step)
    require_expected(weights)


def test_a_member_moves_the_same_after_others_have_left() -> None:
    weights = start()
    ours = stacked_adamw(RATES, weights)
    kept = torch.tensor([0, 2])
    for step in range(4):
        if step == 2:
            weights = {name: weight[kept] for name, weight in weights.items()}
            ours = ours.among(kept, weights)
        given = gradients(step)
        ours.update({n: g[kept] for n, g in given.items()} if step > 1 else given, step)
    for row, member in enumerate(kept.tolist()):
        for name, weight in expected()[member].items():
            torch.testing.assert_close(weights[name][row], weight)
