"""A patient's case: first what to read, then what was read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from hnmets.domain.errors import NEXT_STEPS, CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.domain.outcome import Outcome
from hnmets.domain.region import Region, Scalar


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the cohort, not yet read.

    Parameters
    ----------
    case_id, patient_id
        Several cases may belong to one patient.
    centre
        Where the patient was treated; None where the study does not say.
    image
        CT file; None in a cohort of tables only.
    masks
        Mask file of each drawn region; an optional region that the case lacks is absent.
    clinical
        Clean clinical values by variable: number, category, or None for unknown.
    not_understood
        Clinical variables whose cell holds something that could not be read.
    outcome
        None where the study has no outcome.
    row
        Line in the manifest, for messages.
    """

    case_id: str
    patient_id: str
    centre: str | None = None
    image: Path | None = None
    masks: Mapping[str, Path] = field(default_factory=dict)
    clinical: Mapping[str, float | str | None] = field(default_factory=dict)
    not_understood: frozenset[str] = frozenset()
    outcome: Outcome | None = None
    row: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Image and masks, as far as the case has them."""
        return (*([self.image] if self.image else []), *self.masks.values())


@dataclass(frozen=True, kw_only=True)
class ImagedCase:
    """A case whose CT and regions were read and passed every check.

    Parameters
    ----------
    case_id
        The study's id.
    ct
        CT in HU, LPS orientation.
    regions
        Regions by name on the grid of the CT, drawn and derived; several where parts are
        kept separate.
    flags
        What the reader noticed and let pass: geometry snapped, share of voxels clipped, …
    """

    case_id: str
    ct: Volume
    regions: Mapping[str, tuple[Region, ...]]
    flags: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A case that was left out, and why.

    Parameters
    ----------
    stage
        Where it happened: table, read, region, extract, embed.
    """

    case_id: str
    code: Code
    stage: str
    detail: str

    @classmethod
    def of(cls, case_id: str, stage: str, error: CaseError) -> Self:
        """Return the failure that an error means for a case."""
        return cls(case_id=case_id, code=error.code, stage=stage, detail=error.detail)

    @property
    def next_step(self) -> str:
        """What a person can do about it."""
        return NEXT_STEPS[self.code]

    def as_json(self) -> dict[str, str]:
        """Return the failure as a JSON object."""
        return {**asdict(self), "next_step": self.next_step}
