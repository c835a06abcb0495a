"""A training on disk after an epoch: safetensors with a text header, nothing pickled."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from feature_store.atomic import write_atomic
from hnmets.models.backbone.cases import TrainingCases
from hnmets.models.backbone.learner import Learner
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.backbone.result import Epoch

FORMAT = "hnmets backbone training 1"
_log = logging.getLogger(__name__)


class _Described(TypedDict):
    """The text of a checkpoint."""

    identity: str
    at_once: int
    epochs: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Resumed:
    """What a checkpoint gave back beside the state of the learner."""

    epochs: tuple[Epoch, ...]
    best: dict[str, Tensor]


def identity_of(cases: TrainingCases, learner: Learner, parameters: BackboneParameters) -> str:
    """Return the SHA-256 of all that a training's result hangs on, before its first step."""
    digest = hashlib.sha256(json.dumps([FORMAT, asdict(parameters)]).encode())
    for name, tensor in learner.classifier.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    for places in (cases.fitting, cases.stopping):
        digest.update(places.tobytes() + b"|")
        digest.update(cases.outcome[places].tobytes())
        on_device = torch.from_numpy(places).to(cases.crops.device)
        for voxels in (cases.crops.ct, cases.crops.masks):
            digest.update(voxels[on_device].cpu().numpy().tobytes())
    return digest.hexdigest()


def save_checkpoint(
    path: Path,
    identity: str,
    *,
    learner: Learner,
    epochs: tuple[Epoch, ...],
    best: Mapping[str, Tensor],
) -> None:
    """Write the state after an epoch; a kill leaves the former file or this one."""
    described: _Described = {
        "identity": identity,
        "at_once": learner.at_once,
        "epochs": [asdict(epoch) for epoch in epochs],
    }
    tensors = _prefixed("classifier", learner.classifier.state_dict())
    tensors |= _prefixed("average", learner.average.classifier.state_dict())
    tensors |= _prefixed("best", best)
    for place, moments in learner.optimiser.state_dict()["state"].items():
        tensors |= _prefixed(f"optimiser.{place}", moments)
    write_atomic(path, save(tensors, {"training": json.dumps(described)}))


def resume(path: Path, identity: str, learner: Learner) -> Resumed | None:
    """Put the learner where a checkpoint left off.

    Returns
    -------
    Resumed or None
        None, with a line in the log, where the file is damaged or of another training.
    """
    if not path.exists():
        return None
    try:
        described, tensors = _read(path, learner.device)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        _log.warning("checkpoint %s cannot be read (%s): from the start", path.name, error)
        return None
    if described["identity"] != identity:
        _log.warning("checkpoint %s is of another training: from the start", path.name)
        return None
    learner.at_once = described["at_once"]
    learner.classifier.load_state_dict(_of("classifier", tensors))
    learner.average.classifier.load_state_dict(_of("average", tensors))
    _restore_moments(learner.optimiser, _of("optimiser", tensors))
    return Resumed(
        epochs=tuple(Epoch(**epoch) for epoch in described["epochs"]),
        best=_of("best", tensors),
    )


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor.contiguous() for name, tensor in tensors.items()}


def _of(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def _read(path: Path, device: torch.device) -> tuple[_Described, dict[str, Tensor]]:
    with safe_open(path, framework="pt", device=str(device)) as file:
        described: _Described = json.loads(file.metadata()["training"])
        return described, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _restore_moments(optimiser: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        place, _, moment = name.partition(".")
        state.setdefault(int(place), {})[moment] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
