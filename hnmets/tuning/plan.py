"""What a search is: written once, read by everybody who works on it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from feature_store.atomic import write_atomic
from hnmets.domain.errors import InvalidDataError
from hnmets.models.backbone.parameters import BackboneParameters
from hnmets.models.head_parameters import HeadParameters
from hnmets.networks.architecture import Architecture, Merging
from hnmets.tuning.backbone_space import BackboneConfiguration, BackboneSpace, backbone_of
from hnmets.tuning.choosing import Param
from hnmets.tuning.configuration import HeadConfiguration, configuration_of
from hnmets.tuning.space import HeadSpace, from_json, nested_tuples

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Target = Literal["head", "backbone"]
FORMAT = 1
EVERYBODY = "everybody"
FILE = "plan.json"


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What all searches have.

    Parameters
    ----------
    name
        Of the search, and of its folder.
    studies
        Number of inner folds by study: one per outer fold, by its name, and `everybody`.
    trials
        Of each study.
    seed
        Of networks and samplers.
    rungs
        Epochs after which a trial may be ended.
    own
        What the first trial chooses: the study's own settings; empty where the space does not
        hold them.
    """

    target: ClassVar[Target]
    name: str
    studies: Mapping[str, int]
    trials: int
    seed: int
    rungs: tuple[int, ...]
    own: Mapping[str, Param] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the plan into the folder of the search."""
        content = {"format": FORMAT, "target": self.target, **asdict(self)}
        write_atomic(folder / FILE, (json.dumps(content, indent=2) + "\n").encode())

    @classmethod
    def _shared(cls, content: dict[str, Any]) -> dict[str, Any]:  # Any: what JSON can hold
        names = ("name", "studies", "trials", "seed", "own")
        return {**{name: content[name] for name in names}, "rungs": tuple(content["rungs"])}


@dataclass(frozen=True, kw_only=True)
class HeadPlan(_Plan):
    """A search of fusion heads.

    Parameters
    ----------
    space
        With the radiomics and embeddings of the store.
    base
        Settings of the head that no search decides.
    """

    target: ClassVar[Target] = "head"
    space: HeadSpace
    base: HeadParameters

    def configuration(self, trial: "BaseTrial") -> HeadConfiguration:
        """Return what a trial chooses."""
        return configuration_of(trial, self.space, self.base)

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Self:  # Any: what JSON can hold
        """Return the plan of a JSON object."""
        return cls(
            **cls._shared(content),
            space=from_json(HeadSpace, content["space"]),
            base=HeadParameters(**nested_tuples(content["base"])),
        )


@dataclass(frozen=True, kw_only=True)
class BackbonePlan(_Plan):
    """A search of backbones.

    Parameters
    ----------
    space
        With every shape filled in.
    base
        Settings of the training that no search decides.
    architecture, merging
        Of the study's Swin.
    """

    target: ClassVar[Target] = "backbone"
    space: BackboneSpace
    base: BackboneParameters
    architecture: Architecture
    merging: Merging

    def configuration(self, trial: "BaseTrial") -> BackboneConfiguration:
        """Return what a trial chooses."""
        return backbone_of(trial, self.space, self.architecture, self.base)

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Self:  # Any: what JSON can hold
        """Return the plan of a JSON object."""
        return cls(
            **cls._shared(content),
            space=from_json(BackboneSpace, content["space"]),
            base=BackboneParameters(**nested_tuples(content["base"])),
            architecture=Architecture(**nested_tuples(content["architecture"])),
            merging=content["merging"],
        )


Plan = HeadPlan | BackbonePlan
Configuration = HeadConfiguration | BackboneConfiguration
_PLANS: Mapping[str, type[HeadPlan] | type[BackbonePlan]] = {
    "head": HeadPlan,
    "backbone": BackbonePlan,
}


def read_plan(folder: Path) -> Plan:
    """Read the plan of a search.

    Raises
    ------
    InvalidDataError
        If there is none, or another version of hnmets wrote it.
    """
    try:
        content = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidDataError(f"{folder.name} is no folder of a search: {error}").with_note(
            "`hnmets tune` makes one; `hnmets tune status` names those of a study."
        ) from None
    if content.get("format") != FORMAT:
        raise InvalidDataError(
            f"the plan of {folder.name} has format {content.get('format')}, known is {FORMAT}"
        ).with_note("Work on it with the version of hnmets that made it.")
    return _PLANS[content["target"]].of_json(content)


def part_file(folder: Path, study: str, fold: int) -> Path:
    """Return the file of an inner fold, counted from 0."""
    return folder / "parts" / study / f"{fold}.npz"
