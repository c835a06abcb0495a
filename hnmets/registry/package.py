"""A registered model in a folder: JSON and safetensors, each file by its digest, no pickle."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from hnmets.datasets.view import Policy
from hnmets.domain.strict_json import STRICT, read, written
from hnmets.models.candidate import FittedCandidate
from hnmets.models.candidate_file import load_candidates, save_candidates
from hnmets.registry.card import Card, as_markdown
from hnmets.registry.columns import InputColumn
from hnmets.registry.errors import PackageError, TamperedPackageError
from hnmets.registry.networks import Networks, seen_columns
from hnmets.registry.reference import Reference
from hnmets.registry.training_ids import TrainingIds

FORMAT: Final = 1
Kind = Literal["members", "refit"]
_MEMBERS = "members"
_FILES = {"members.json", "members.safetensors", "package.json", "card.json", "card.md"}
_INDEX = "files.json"
_OTHERWISE = "Register the run again with this version."


@dataclass(frozen=True, kw_only=True)
class Member:
    """One fitted model of a package.

    Parameters
    ----------
    name
        Fold that holds out the patients by whom the member was measured: `repeat 1 fold 3`; of
        a refit, the patients by whom it was stopped and calibrated.
    threshold
        Risk from which it says yes, chosen in its training part.
    calibration
        What was learned of it: `platt`, `intercept` or `none`.
    networks
        Backbones of its own, by the name of the recipe: see `hnmets.registry.networks`.
    """

    name: str
    repeat: int
    threshold: float
    calibration: str
    networks: Networks = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecipeUsed:
    """A feature set, by the identity that a value must have."""

    name: str
    kind: str
    label: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Predicts:
    """What a risk is the risk of.

    Parameters
    ----------
    horizon_days
        By when; None where the event counts whenever it was seen.
    """

    outcome: str
    horizon_days: float | None

    @property
    def text(self) -> str:
        """Say it in words.

        Examples
        --------
        >>> Predicts(outcome="distant metastasis", horizon_days=730.5).text
        'distant metastasis by day 730'
        """
        when = "" if self.horizon_days is None else f" by day {self.horizon_days:.0f}"
        return f"{self.outcome}{when}"


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """Where a package comes from.

    Parameters
    ----------
    run
        Key of the run that evaluated it.
    replay
        Largest difference between a held-out risk of the run and that of the package; None
        where its models were evaluated by nobody.
    environment
        Versions and device at registration, by name.
    settings
        Of the study, by dotted name.
    """

    run: str
    rung: str
    split: str
    split_hash: str
    dataset_digest: str
    code_version: str
    replay: float | None
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Package:
    """Everything but the weights.

    Parameters
    ----------
    name
        Registered name.
    kind
        `members`: the models of the folds, each of them measured. `refit`: models of all
        patients, none of them measured.
    threshold
        Risk of the ensemble from which the class is yes: the median of the members' thresholds.
    columns
        What has to be told of a patient.
    encoded
        Columns of the design matrix, in their order; those of all members' networks.
    """

    name: str
    created: str
    kind: Kind
    rung: str
    model: str
    features: tuple[str, ...]
    predicts: Predicts
    policy: Policy
    threshold: float
    members: tuple[Member, ...]
    columns: tuple[InputColumn, ...]
    encoded: tuple[str, ...]
    recipes: tuple[RecipeUsed, ...]
    reference: Reference
    training: TrainingIds
    lineage: Lineage

    @property
    def networks(self) -> frozenset[str]:
        """Labels of the networks of all members."""
        return frozenset(label for each in self.members for label in each.networks.values())


class _Document(BaseModel):
    model_config = STRICT

    format: Literal[1] = FORMAT
    package: Package


class _CardDocument(BaseModel):
    model_config = STRICT

    format: Literal[1] = FORMAT
    card: Card


class _Index(BaseModel):
    model_config = STRICT

    format: Literal[1] = FORMAT
    sha256: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenPackage:
    """A package as it was read.

    Parameters
    ----------
    models
        One per member.
    digest
        SHA-256 over the digests of all files: the identity of the package.
    """

    package: Package
    card: Card
    models: tuple[FittedCandidate, ...]
    digest: str


def write_package(
    package: Package, card: Card, models: Sequence[FittedCandidate], folder: Path
) -> str:
    """Write a package into an empty folder; return its digest.

    Raises
    ------
    InvalidDataError
        If a number is not finite or a value has the wrong type.
    """
    folder.mkdir(parents=True)
    save_candidates(models, folder / _MEMBERS)
    texts = {
        "package.json": written(lambda: _Document(package=package), "package"),
        "card.json": written(lambda: _CardDocument(card=card), "model card"),
        "card.md": as_markdown(card),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    index = _Index(sha256={name: _sha256(folder / name) for name in sorted(_FILES)})
    content = json.dumps(index.model_dump(mode="json"), indent=1) + "\n"
    (folder / _INDEX).write_text(content, encoding="utf-8")
    return _sha256(folder / _INDEX)


def open_package(folder: Path, *, digest: str | None = None) -> OpenPackage:
    """Read a package whose every file is as it was written.

    Parameters
    ----------
    digest
        What the registry knows of it; not compared by default.

    Raises
    ------
    TamperedPackageError
        If a file, or the package as a whole, is not as it was registered.
    PackageError
        If it is no package of this format.
    """
    found = require_untouched(folder, digest=digest)
    document, card = (folder / name for name in ("package.json", "card.json"))
    package = read(_Document, document.read_bytes(), "package", otherwise=_OTHERWISE).package
    models = load_candidates(folder / _MEMBERS)
    if len(models) != len(package.members):
        raise PackageError(folder.name, f"{len(models)} models of {len(package.members)} members")
    seen = [
        tuple(name for _, name in seen_columns(package.encoded, each.networks, package.networks))
        for each in package.members
    ]
    if [model.view.columns for model in models] != seen:
        raise PackageError(folder.name, "a model takes other columns than the package says")
    return OpenPackage(
        package=package,
        card=read(_CardDocument, card.read_bytes(), "model card", otherwise=_OTHERWISE).card,
        models=models,
        digest=found,
    )


def require_untouched(folder: Path, *, digest: str | None = None) -> str:
    """Compare every file with its digest; return the digest of the package.

    Raises
    ------
    TamperedPackageError, PackageError
        See `open_package`.
    """
    index = folder / _INDEX
    try:
        known = _Index.model_validate_json(index.read_bytes()).sha256
        met = {path.name for path in folder.iterdir()} - {_INDEX}
    except (OSError, ValidationError):
        raise PackageError(folder.name, f"{_INDEX} is absent or no index") from None
    if odd := met ^ _FILES or known.keys() ^ _FILES:
        raise TamperedPackageError(folder.name, f"'{min(odd)}' is absent, or not of a package")
    for name in sorted(_FILES):
        if _sha256(folder / name) != known[name]:
            raise TamperedPackageError(folder.name, f"'{name}' is not as it was registered")
    found = _sha256(index)
    if digest is not None and found != digest:
        raise TamperedPackageError(folder.name, f"its digest is {found[:12]}, not {digest[:12]}")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
