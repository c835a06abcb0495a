import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from hnmets.networks.architecture import PRESETS
from hnmets.networks.backbones import encoder_of
from hnmets.networks.classifier import Classifier
from hnmets.networks.classifier_file import load_classifier, save_classifier
from hnmets.networks.encoder import Encoder
from hnmets.networks.weights_file import WeightsError

METADATA = {"backbone": "cnn", "trained_on": "sha256:5a"}
CI = PRESETS["ci"]


def cnn(seed: int = 0) -> Encoder:
    return encoder_of("cnn", CI, seed=seed)


def classifier() -> Classifier:
    made = Classifier(cnn(), prevalence=0.2)
    torch.nn.init.normal_(made.head.weight, generator=torch.manual_seed(3))
    return made.eval()


def written(folder: Path) -> Path:
    return save_classifier(folder / "fold-0.safetensors", classifier(), METADATA)


def log_odds(network: Classifier) -> Tensor:
    crops = torch.rand((2, 3, 32, 32, 32), generator=torch.manual_seed(1))
    with torch.inference_mode():
        found: Tensor = network(crops)
    return found


def test_a_classifier_comes_back_to_the_bit_with_what_was_said_of_it(tmp_path: Path) -> None:
    found, metadata = load_classifier(written(tmp_path), cnn(seed=9))
    assert metadata == METADATA
    assert not found.training
    assert torch.equal(log_odds(found), log_odds(classifier()))


def test_the_same_classifier_gives_the_same_bytes(tmp_path: Path) -> None:
    first = written(tmp_path).read_bytes()
    assert written(tmp_path).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["fold-0.safetensors"]


def test_weights_of_another_backbone_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(WeightsError, match=r"fold-0\.safetensors: \d+ tensors are absent") as met:
        load_classifier(path, encoder_of("swin", CI, seed=0))
    assert "backbone and preset" in met.value.__notes__[0]


def test_weights_for_other_channels_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(WeightsError, match=r"1 tensors .* the first is 'encoder\.layers\.0"):
        load_classifier(path, encoder_of("cnn", CI, channels=2, seed=0))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    spoilt = classifier()
    spoilt.head.weight.data[0, 0] = float("nan")
    save_classifier(path, spoilt, METADATA)
    with pytest.raises(WeightsError, match=r"'head\.weight' holds values that are not finite"):
        load_classifier(path, cnn())


@pytest.mark.parametrize("kept", [0, 50, -1], ids=["empty", "header", "torn"])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WeightsError, match="cannot be read safely"):
        load_classifier(path, cnn())


def test_tensors_of_somebody_else_are_no_classifier(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(classifier().state_dict(), path)
    with pytest.raises(WeightsError, match="not a classifier that hnmets trained"):
        load_classifier(path, cnn())


class Payload:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("w.safetensors", "cannot be read safely"), ("w.pt", "kept as .safetensors")],
)
def test_a_pickle_is_refused_whatever_its_name_and_not_run(
    tmp_path: Path, name: str, reason: str
) -> None:
    canary, path = tmp_path / "canary", tmp_path / name
    path.write_bytes(pickle.dumps({"head.weight": Payload(f"touch {canary}")}))
    with pytest.raises(WeightsError, match=reason):
        load_classifier(path, cnn())
    assert not canary.exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.safetensors"):
        load_classifier(tmp_path / "absent.safetensors", cnn())
