import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hnmets.models.backbone.cases import TrainingCases
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.backbone.result import Epoch, TrainedBackbone
from hnmets.models.backbone.training import train
from hnmets.networks.encoder import Encoder
from tests.models.backbone.small import QUICK, cases, encoder, same_bits

PARAMETERS = replace(QUICK, average_decay=0.9, augment=("flip-z", "shift", "noise"))


class KilledError(Exception):
    pass


def killed_after(epochs: int, checkpoint: Path) -> None:
    def on_epoch(done: Sequence[Epoch]) -> None:
        if len(done) == epochs:
            raise KilledError

    with pytest.raises(KilledError):
        train(cases(), encoder(norm=True), PARAMETERS, on_epoch=on_epoch, checkpoint=checkpoint)


def losses(trained: TrainedBackbone) -> list[tuple[float, float, float | None]]:
    return [(e.train_loss, e.inner_loss, e.inner_auc) for e in trained.epochs]


@pytest.mark.parametrize("epochs", [1, 3, 4])
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path, epochs: int) -> None:
    checkpoint = tmp_path / "fold.safetensors"
    whole = train(cases(), encoder(norm=True), PARAMETERS)
    killed_after(epochs, checkpoint)
    resumed = train(cases(), encoder(norm=True), PARAMETERS, checkpoint=checkpoint)
    assert resumed.resumed_after == epochs
    assert same_bits(resumed.classifier, whole.classifier)
    assert losses(resumed) == losses(whole)
    assert (resumed.ending, resumed.chosen) == (whole.ending, whole.chosen)


def test_a_training_that_goes_on_tells_at_once_how_far_it_is(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fold.safetensors"
    killed_after(2, checkpoint)
    told: list[int] = []
    train(
        cases(),
        encoder(norm=True),
        PARAMETERS,
        on_epoch=lambda done: told.append(len(done)),
        checkpoint=checkpoint,
    )
    assert told == list(range(2, PARAMETERS.epochs + 1))


def test_what_a_callback_draws_does_not_change_the_training(tmp_path: Path) -> None:
    quiet = train(cases(), encoder(), PARAMETERS)
    drawing = train(cases(), encoder(), PARAMETERS, on_epoch=lambda _: torch.rand(3).sum())
    assert same_bits(quiet.classifier, drawing.classifier)


def other_outcome() -> TrainingCases:
    given = cases()
    outcome = given.outcome.copy()
    outcome[0] = ~outcome[0]
    return replace(given, outcome=outcome)


def one_case_less() -> TrainingCases:
    given = cases()
    return replace(given, fitting=given.fitting[1:])


@pytest.mark.parametrize(
    ("given", "start", "parameters"),
    [
        (cases, encoder(), replace(PARAMETERS, learning_rate=0.01)),
        (cases, encoder(seed=1), PARAMETERS),
        (other_outcome, encoder(), PARAMETERS),
        (one_case_less, encoder(), PARAMETERS),
        (lambda: cases(seed=1), encoder(), PARAMETERS),
    ],
    ids=["parameters", "initial weights", "outcome", "cases", "crops"],
)
def test_the_checkpoint_of_another_training_is_not_used(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    given: Callable[[], TrainingCases],
    start: Encoder,
    parameters: BackboneParameters,
) -> None:
    checkpoint = tmp_path / "fold.safetensors"
    train(cases(), encoder(), PARAMETERS, checkpoint=checkpoint)
    with caplog.at_level(logging.WARNING):
        found = train(given(), start, parameters, checkpoint=checkpoint)
    assert "fold.safetensors is of another training: from the start" in caplog.text
    assert found.resumed_after == 0
    assert same_bits(found.classifier, train(given(), start, parameters).classifier)


@pytest.mark.parametrize("kept", [0, 100, -100], ids=["empty", "header", "torn"])
def test_a_damaged_checkpoint_costs_the_epochs_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: int
) -> None:
    checkpoint = tmp_path / "fold.safetensors"
    killed_after(2, checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    with caplog.at_level(logging.WARNING):
        found = train(cases(), encoder(norm=True), PARAMETERS, checkpoint=checkpoint)
    assert "cannot be read" in caplog.text
    assert (found.resumed_after, len(found.epochs)) == (0, PARAMETERS.epochs)


@pytest.mark.slow
def test_after_kill_9_the_weights_are_those_of_an_uninterrupted_training(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fold.safetensors"
    code = """
import sys, torch
from dataclasses import replace
from pathlib import Path
from hnmets.models.backbone.training import train
from tests.models.backbone.small import QUICK, cases, encoder
torch.set_num_threads(1)
train(cases(), encoder(), replace(QUICK, epochs=200), checkpoint=Path(sys.argv[1]))
"""
    victim = subprocess.Popen([sys.executable, "-c", code, str(checkpoint)])
    while not checkpoint.exists():
        assert victim.poll() is None
        time.sleep(0.01)
    time.sleep(0.5)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    parameters = replace(QUICK, epochs=200)
    resumed = train(cases(), encoder(), parameters, checkpoint=checkpoint)
    assert 0 < resumed.resumed_after < 200
    assert same_bits(resumed.classifier, train(cases(), encoder(), parameters).classifier)
