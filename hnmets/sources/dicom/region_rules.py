"""The rule file: which names are which region, and what is done where a choice is needed."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hnmets.domain.errors import InvalidDataError

Several = Literal["refuse", "union", "largest"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_ID = r"^[A-Z]-[a-z0-9]+$"


def _require_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"'{pattern}' is no regular expression: {error}") from None
    return patterns


@dataclass(frozen=True, kw_only=True)
class RoleRule:
    """Which names a role goes by.

    Parameters
    ----------
    required
        Whether a patient without it is left out.
    exact
        Names, compared without case, accents and signs.
    patterns
        Regular expressions for the whole of a name in its compared form.
    several
        What several regions of the role become: `refuse` leaves the patient out, `union` takes
        all voxels, `largest` the largest region.
    """

    required: bool = False
    exact: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    several: Several = "refuse"

    def __post_init__(self) -> None:
        """Check the patterns."""
        _require_patterns(self.patterns)


@dataclass(frozen=True, kw_only=True)
class Choose:
    """What to do where an export offers more than one.

    Parameters
    ----------
    structure_set
        Of several that have a role: `only` refuses, `latest` takes the one of the last date.
    series
        CT series by patient, both by the names that the scan gives them.
    """

    structure_set: Literal["only", "latest"] = "only"
    series: Mapping[Annotated[str, Field(pattern=_ID)], Annotated[str, Field(pattern=_ID)]] = (
        field(default_factory=dict)
    )


@dataclass(frozen=True, kw_only=True)
class GeometryRule:
    """What to do with series that are no regular grid, and contours that leave it.

    Parameters
    ----------
    uneven
        Missing slices and mixed spacing: `refuse`, or `resample` by the true positions.
    minimum_slices
        Series of fewer images are no CT of a patient.
    largest_share_lost
        Of a region's contours outside the CT, 0 to 1.
    """

    uneven: Literal["refuse", "resample"] = "refuse"
    minimum_slices: Annotated[int, Field(ge=2)] = 3
    largest_share_lost: Annotated[float, Field(ge=0, le=1)] = 0.05


@dataclass(frozen=True, kw_only=True)
class SegmentationRule:
    """From which part of the maximum a voxel of a fractional segment is inside."""

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5


@dataclass(frozen=True, kw_only=True)
class HounsfieldRule:
    """Whether numbers that do not look like HU leave a patient out."""

    suspect: Literal["refuse", "flag"] = "refuse"


class RegionRules(BaseModel):
    """A rule file."""

    # The dataclasses inside inherit this: an unknown key is refused wherever it stands.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    version: Literal[1]
    name: str
    roles: dict[Name, RoleRule]
    ignore: tuple[str, ...] = ()
    choose: Choose = Field(default_factory=Choose)
    geometry: GeometryRule = Field(default_factory=GeometryRule)
    segmentation: SegmentationRule = Field(default_factory=SegmentationRule)
    hounsfield: HounsfieldRule = Field(default_factory=HounsfieldRule)

    _patterns = field_validator("ignore")(staticmethod(_require_patterns))

    @property
    def digest(self) -> str:
        """What tells rules apart: SHA-256 of their content, comments left out."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return sha256(content.encode()).hexdigest()


def read_rules(file: Path | None) -> RegionRules:
    """Read a rule file, or the one for head and neck that comes with the program.

    Raises
    ------
    InvalidDataError
        If there is no such file or something in it is wrong: all problems at once.
    """
    return parse_rules(default_rules() if file is None else _text(file), file)


def default_rules() -> str:
    """Return the text of the rule file for head and neck."""
    return (files("hnmets.sources.dicom") / "head_and_neck.toml").read_text(encoding="utf-8")


def parse_rules(text: str, file: Path | None = None) -> RegionRules:
    """Return the rules of a text; see `read_rules`."""
    name = file or "the rules"
    try:
        # JSON is strict about types and yet lets a list be a tuple.
        return RegionRules.model_validate_json(json.dumps(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise InvalidDataError(f"{name}: {error}").with_note(
            "TOML wants strings in quotes, and each key once per [table]."
        ) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        lines = [f"  {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found]
        raise InvalidDataError("\n".join([f"{name}: {len(lines)} problems", *lines])).with_note(
            "`hnmets cohort rules` prints the rules for head and neck, to start from."
        ) from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidDataError(f"{file}: {reason}").with_note(
            "`hnmets cohort rules` prints the rules for head and neck, to start from."
        ) from None
