import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from hnmets.models.backbone.learner import Learner
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.backbone.result import TrainedBackbone
from hnmets.models.backbone.scoring import log_odds
from hnmets.models.backbone.training import train
from hnmets.models.errors import TrainingDivergedError, TrainingMemoryError, UntrainableError
from hnmets.models.roc_area import auc
from hnmets.networks.architecture import PRESETS
from hnmets.networks.backbones import ConvolutionalEncoder, encoder_of
from tests.models.backbone.small import (
    QUICK,
    Troubled,
    cases,
    encoder,
    outcomes,
    same_bits,
    stopped_by_the_opposite,
    weights,
)

NO_MEMORY = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
PLAIN = replace(QUICK, augment=(), dropout=0.0)


def held_out_auc(trained: TrainedBackbone) -> float | None:
    new = cases(60, seed=1)
    scores = log_odds(trained.classifier, new.crops, torch.arange(60), at_once=16)
    return auc(scores.numpy(), outcomes(60))


@pytest.mark.parametrize("average_decay", [0.0, 0.9])
def test_a_network_learns_what_tells_the_outcome(average_decay: float) -> None:
    parameters = replace(QUICK, epochs=20, average_decay=average_decay)
    trained = train(cases(), encoder(), parameters)
    assert held_out_auc(trained) == 1.0
    assert trained.epochs[-1].train_loss < trained.epochs[0].train_loss - 0.1
    assert (trained.ending, trained.resumed_after) == ("all epochs run", 0)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    one, same = (train(cases(), encoder(), QUICK) for _ in range(2))
    other = train(cases(), encoder(), replace(QUICK, seed=1))
    assert same_bits(one.classifier, same.classifier)
    assert not same_bits(one.classifier, other.classifier)


def test_neither_the_encoder_nor_the_process_s_generator_is_changed() -> None:
    start = encoder()
    before, state = weights(start), torch.get_rng_state()
    train(cases(), start, QUICK)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(start).items())


def test_the_weights_are_those_of_the_epoch_with_the_lowest_inner_loss() -> None:
    given = stopped_by_the_opposite()
    parameters = replace(QUICK, epochs=6, learning_rate=1e-3)
    trained = train(given, encoder(), parameters)
    assert trained.chosen < len(trained.epochs)
    learner = Learner(given, encoder(), parameters)
    places = torch.from_numpy(given.stopping)
    scores = log_odds(trained.classifier, given.crops, places, at_once=8)
    found = float(learner.loss(scores, places).mean())
    assert found == min(epoch.inner_loss for epoch in trained.epochs)
    assert found == trained.epochs[trained.chosen - 1].inner_loss


def test_training_ends_once_patience_is_used_up() -> None:
    parameters = replace(QUICK, epochs=50, patience=3)
    trained = train(stopped_by_the_opposite(), encoder(), parameters)
    assert trained.ending == "inner loss no longer falls"
    assert len(trained.epochs) == trained.chosen + 3


def test_each_epoch_is_told_of_as_it_ends() -> None:
    counts: list[int] = []
    trained = train(cases(), encoder(), QUICK, on_epoch=lambda done: counts.append(len(done)))
    assert counts == list(range(1, QUICK.epochs + 1))
    told = trained.epochs
    assert all(epoch.seconds > 0 and epoch.crops_per_second > 0 for epoch in told)
    rates = [epoch.learning_rate for epoch in told]
    # A quarter of the steps to the top, then down: the last step of each of four epochs.
    assert rates[0] == QUICK.learning_rate
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(("weighting", "bias"), [("none", np.log(1 / 2)), ("balanced", 0.0)])
def test_an_untrained_head_gives_everybody_the_prevalence_that_it_learns_from(
    weighting: str, bias: float
) -> None:
    learner = Learner(cases(), encoder(), replace(QUICK, weighting=weighting))
    assert learner.classifier.head.bias.item() == pytest.approx(bias, abs=1e-6)


def test_balanced_classes_weigh_the_same() -> None:
    given = cases()
    learner = Learner(given, encoder(), replace(QUICK, weighting="balanced"))
    fitting = torch.from_numpy(given.fitting)
    # log 2 is the loss of odds 1, for either class
    loss = learner.loss(torch.zeros(len(fitting)), fitting) / np.log(2)
    event = torch.from_numpy(given.outcome[given.fitting])
    assert loss[event].sum().item() == pytest.approx(loss[~event].sum().item())
    assert loss.mean().item() == pytest.approx(1.0)


def test_no_case_stands_alone_where_batches_are_normalised() -> None:
    # A batch of 2 and one of 1, were it not for this.
    trained = train(cases(5, fitting=3), encoder(norm=True), replace(QUICK, batch_size=2))
    assert len(trained.epochs) == QUICK.epochs


def test_a_loss_that_is_not_finite_ends_the_training_with_its_epoch() -> None:
    class Exploding(ConvolutionalEncoder):
        calls = 0

        def maps(self, crops: Tensor) -> Tensor:
            self.calls += self.training
            factor = float("inf") if self.calls > 4 else 1.0  # four batches an epoch
            return super().maps(crops) * factor

    exploding = Exploding(encoder().layers, embedding_size=4)
    with pytest.raises(TrainingDivergedError, match=r"epoch 2 at learning rate 0\.02") as caught:
        train(cases(), exploding, QUICK)
    assert "Lower the learning rate" in caught.value.__notes__[0]


def test_without_memory_a_batch_goes_in_parts_and_teaches_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    usual = train(cases(), encoder(), PLAIN)
    with caplog.at_level(logging.WARNING):
        halved = train(cases(), Troubled(3, NO_MEMORY), PLAIN)
    assert (usual.at_once, halved.at_once) == (8, 2)
    assert "can't allocate memory; goes on with 4 cases at once" in caplog.text
    for name, tensor in weights(usual.classifier).items():
        torch.testing.assert_close(halved.classifier.state_dict()[name], tensor)


@pytest.mark.parametrize(
    "failure", [NO_MEMORY, "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"], ids=["cpu", "cudnn"]
)
def test_where_not_even_two_cases_fit_the_training_ends(failure: str) -> None:
    with pytest.raises(TrainingMemoryError, match="2 crops of 8 voxels") as caught:
        train(cases(), Troubled(0, failure), QUICK)
    assert "smaller preset" in caught.value.__notes__[0]


def test_an_error_of_another_kind_is_not_taken_for_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="illegal memory access"):
        train(cases(), Troubled(3, "CUDA error: an illegal memory access"), QUICK)


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_position_tables_stay_as_they_were(frozen: bool) -> None:
    from hnmets.models.backbone.cases import TrainingCases
    from hnmets.models.backbone.crops import Crops

    levels = torch.randint(-32768, 32767, (6, 32, 32, 32), generator=torch.manual_seed(0))
    given = TrainingCases(
        crops=Crops(ct=levels.to(torch.int16), masks=(levels % 3).to(torch.uint8)),
        outcome=outcomes(6),
        fitting=np.arange(4),
        stopping=np.arange(4, 6),
    )
    start = encoder_of("swin", PRESETS["ci"], seed=0)
    parameters = replace(QUICK, epochs=1, batch_size=2, frozen_tables=frozen)
    trained = train(given, start, parameters).classifier.encoder.state_dict()
    tables = [name for name in trained if name.endswith("relative_position_bias_table")]
    same = [torch.equal(trained[name], start.state_dict()[name]) for name in tables]
    assert same == [frozen] * 4
    kernel = "backbone.patch_embed.proj.weight"
    assert not torch.equal(trained[kernel], start.state_dict()[kernel])


def test_bfloat16_trains_close_to_float32() -> None:
    single, half = (
        train(cases(), encoder(), replace(PLAIN, precision=precision))
        for precision in ("single", "bfloat16")
    )
    losses = [t.epochs[-1].inner_loss for t in (single, half)]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


@pytest.mark.slow
# torch's compiler imports what torch itself calls deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_a_compiled_network_trains_to_the_same_weights() -> None:
    # Batches of one size: one graph.
    given, parameters = cases(44, fitting=32), replace(PLAIN, epochs=2)
    plain = train(given, encoder(), parameters)
    compiled = train(given, encoder(), replace(parameters, compiled=True))
    for name, tensor in weights(plain.classifier).items():
        torch.testing.assert_close(compiled.classifier.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("fitting", "stopping", "reason"),
    [
        ([1, 2, 4], [0, 3], "0 of 3 cases to learn from have the event"),
        ([0, 3], [1], "2 of 2 cases to learn from"),
        ([0, 1], [], "no case to choose the epoch by"),
        ([0, 1, 2], [2, 3], "1 cases both teach and stop"),
    ],
)
def test_parts_that_cannot_teach_or_would_leak_are_refused(
    fitting: list[int], stopping: list[int], reason: str
) -> None:
    with pytest.raises(UntrainableError, match=reason):
        replace(
            cases(),
            fitting=np.array(fitting, np.int64),
            stopping=np.array(stopping, np.int64),
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_learns_the_same_task() -> None:
    trained = train(cases(device="cuda"), encoder(), replace(QUICK, epochs=20))
    trained.classifier.cpu()
    assert held_out_auc(trained) == 1.0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 1}, "at least 2"),
        ({"warm_up": 1.0}, "warm_up is 1.0"),
        ({"average_decay": float("nan")}, "average_decay is nan"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"clip": float("nan")}, "above 0"),
        ({"seed": -1}, "seed is -1"),
        ({"augment": ("mirror",)}, "no augmentation 'mirror'; there are flip-x, "),
        ({"augment": ("shift", "shift")}, "named twice"),
    ],
)
def test_settings_that_cannot_train_are_refused(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        BackboneParameters(**changed)
