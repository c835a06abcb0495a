"""What a search is: written once, read by everybody who works on it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from feature_store.atomic import write_atomic
from hnmets.domain.errors import InvalidDataError
from hnmets.models.head_parameters import HeadParameters
from hnmets.tuning.space import HeadSpace, from_json

Target = Literal["head", "backbone"]
FORMAT = 1
EVERYBODY = "everybody"
FILE = "plan.json"


@dataclass(frozen=True, kw_only=True)
class HeadPlan:
    """A search of fusion heads.

    Parameters
    ----------
    name
        Of the search, and of its folder.
    studies
        Number of inner folds by study: one per outer fold, by its name, and `everybody`.
    trials
        Of each study.
    seed
        Of heads and samplers.
    rungs
        Epochs after which a trial may be ended.
    space
        With the radiomics and embeddings of the store.
    base
        Settings of the head that no search decides.
    """

    name: str
    studies: Mapping[str, int]
    trials: int
    seed: int
    rungs: tuple[int, ...]
    space: HeadSpace
    base: HeadParameters

    def write(self, folder: Path) -> None:
        """Write the plan into the folder of the search."""
        content = {"format": FORMAT, "target": "head", **asdict(self)}
        write_atomic(folder / FILE, (json.dumps(content, indent=2) + "\n").encode())

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Self:  # Any: what JSON can hold
        """Return the plan of a JSON object."""
        base = content["base"]
        return cls(
            name=content["name"],
            studies=content["studies"],
            trials=content["trials"],
            seed=content["seed"],
            rungs=tuple(content["rungs"]),
            space=from_json(content["space"]),
            base=HeadParameters(**{**base, "hidden": tuple(base["hidden"])}),
        )


def read_plan(folder: Path) -> HeadPlan:
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
    return HeadPlan.of_json(content)


def part_file(folder: Path, study: str, fold: int) -> Path:
    """Return the file of an inner fold, counted from 0."""
    return folder / "parts" / study / f"{fold}.npz"
