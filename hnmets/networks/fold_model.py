"""What a trained backbone's weights file says of itself, read without loading torch."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from feature_store.recipe import Json
from hnmets.networks.architecture import BackboneName
from hnmets.networks.weights_file import CLASSIFIER, WeightsError, digest_of, read_metadata


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

    def as_json(self) -> dict[str, Json]:
        """Return what the weights file carries beside its tensors."""
        content: dict[str, Json] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return content

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
    told = read_metadata(path).get(CLASSIFIER)
    if told is None:
        raise _useless(path, "it does not tell whom it was trained on")
    try:
        content = json.loads(told)
        model = FoldModel(**{**content, "patients": tuple(content["patients"])})
    except (KeyError, TypeError, ValueError) as error:
        raise _useless(path, f"what it tells is damaged ({type(error).__name__})") from error
    return StoredModel(path=path, sha256=digest_of(path), model=model)


def _useless(path: Path, reason: str) -> WeightsError:
    return WeightsError(f"trained backbone {path.name}: {reason}").with_note(
        "Delete the file and run `hnmets train backbone` again."
    )
