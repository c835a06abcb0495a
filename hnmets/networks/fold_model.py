"""What a trained backbone's weights file says of itself, read without loading torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feature_store.recipe import Json
from hnmets.networks.architecture import BackboneName
from hnmets.networks.weights_file import WeightsError, digest_of

FORMAT = "hnmets backbone 1"
_ENTRY = "hnmets"


@dataclass(frozen=True, kw_only=True)
class FoldModel:
    """A backbone trained in one fold.

    Parameters
    ----------
    backbone
        Architecture by name.
    split, fold
        Hash of the split and name of the fold.
    patients
        Digests of the patients from whose outcomes the weights were fitted, sorted.
    settings
        Everything that was chosen: network, crop, regions, training.
    init
        Seed or digest of the weights that the training started from.
    data
        Digest over the crops and outcomes that it learned from and was stopped by.
    outcome
        How it went: epochs, inner loss, device, throughput, versions.
    """

    backbone: BackboneName
    split: str
    fold: str
    patients: tuple[str, ...]
    settings: Mapping[str, Json]
    init: Json
    data: str
    outcome: Mapping[str, Json]

    @property
    def header(self) -> dict[str, str]:
        """The text that a safetensors file carries beside its tensors."""
        content = {**vars(self), "format": FORMAT}
        return {_ENTRY: json.dumps(content, sort_keys=True, allow_nan=False, default=dict)}

    def is_of(self, settings: Mapping[str, Json]) -> bool:
        """Tell whether it was made by these settings."""
        return dict(self.settings) == dict(settings)


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """A fold's model on disk.

    Parameters
    ----------
    sha256
        Digest of the file.
    """

    path: Path
    sha256: str
    model: FoldModel


def read_fold_model(path: Path) -> StoredModel:
    """Read what a weights file says of itself.

    Raises
    ------
    WeightsError
        If the file is damaged, or was not written by `hnmets train backbone`.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            told = (file.metadata() or {}).get(_ENTRY)
    except (SafetensorError, OSError) as error:
        raise _useless(path, str(error).splitlines()[0]) from error
    if told is None:
        raise _useless(path, "it does not tell whom it was trained on")
    try:
        model = _model(json.loads(told))
    except (KeyError, TypeError, ValueError) as error:
        raise _useless(path, f"what it tells is damaged ({type(error).__name__})") from error
    return StoredModel(path=path, sha256=digest_of(path), model=model)


def _model(content: dict[str, Any]) -> FoldModel:  # Any: JSON, checked by its use
    if content.pop("format") != FORMAT:
        raise ValueError
    return FoldModel(**{**content, "patients": tuple(content["patients"])})


def _useless(path: Path, reason: str) -> WeightsError:
    return WeightsError(f"trained backbone {path.name}: {reason}").with_note(
        "Delete the file and run `hnmets train backbone` again."
    )
