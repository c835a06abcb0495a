"""What a scan found: nothing in it names a person, a folder or a file of the export."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hnmets.domain.case import Failure
from hnmets.domain.errors import NEXT_STEPS, Code
from hnmets.domain.region import Scalar
from hnmets.sources.dicom.acquisition import Acquisition

# Flags that may mean a problem: a person should look.
_CODES = {
    "hu_suspect": Code.HU_RANGE,
    "share_lost": Code.STRUCTURE_OUTSIDE,
    "empty": Code.REGION_EMPTY,
    "resampled": Code.GEOMETRY_GAP,
    "structure_sets_without_ct": Code.STRUCTURE_REFERENCE,
}


@dataclass(frozen=True, kw_only=True)
class ScannedPatient:
    """One patient whose CT and masks could be trusted.

    Parameters
    ----------
    patient
        Pseudonym; also the id of the case.
    series
        Of the CT, as the scan calls it.
    spacing_mm
        Along (D, H, W), of the written volume.
    days_to_contours
        From the CT to the contours; None where one of the dates is not known.
    voxels
        By role.
    names
        By role: what the region was called, words that may be a person's masked.
    flags
        What was let pass, for `image` and for each role.
    files
        Written files, relative to the output folder, with their sizes in bytes.
    """

    patient: str
    series: str
    slices: int
    spacing_mm: tuple[float, float, float]
    acquisition: Acquisition
    days_to_contours: int | None = None
    voxels: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)

    @property
    def found(self) -> dict[str, str]:
        """Names by role, of regions that have voxels; of all that were named before a read."""
        named = self.names.items()
        return {role: name for role, name in named if not self.voxels or role in self.voxels}


@dataclass(frozen=True, kw_only=True)
class SeenName:
    """A region's name over the whole export.

    Parameters
    ----------
    name
        As it may be shown.
    patients
        How many have it.
    verdict, role, rule
        What the rules make of it, and which of them decided.
    """

    name: str
    patients: int
    verdict: str
    role: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class QcRow:
    """One line of the QC table: a reason to leave out, or something to know."""

    case_id: str
    left_out: bool
    code: str
    where: str
    what: str
    next_step: str


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a scan found.

    Parameters
    ----------
    rules
        Name of the rule file, and the beginning of its digest.
    patients
        Sorted by pseudonym.
    failures
        Patients left out, each with one reason.
    kinds
        Files of the export by what they are.
    names
        All regions' names.
    remarks
        What concerns the export as a whole.
    """

    rules: str
    patients: tuple[ScannedPatient, ...]
    failures: tuple[Failure, ...]
    kinds: Mapping[str, int]
    names: tuple[SeenName, ...]
    remarks: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0; 3 where no patient is left; 4 where some were left out."""
        if not self.patients:
            return 3
        return 4 if self.failures else 0

    @property
    def qc(self) -> tuple[QcRow, ...]:
        """The QC table: who was left out first."""
        return (*map(_failure_row, self.failures), *self._notices())

    def _notices(self) -> Iterator[QcRow]:
        for patient in self.patients:
            for where, flags in patient.flags.items():
                for flag, value in flags.items():
                    yield _notice_row(patient.patient, where, flag, value)

    def as_json(self) -> dict[str, Any]:  # Any: a tree of JSON values
        """Return everything as a JSON object."""
        return {
            "rules": self.rules,
            "patients": [asdict(patient) for patient in self.patients],
            "left_out": [failure.as_json() for failure in self.failures],
            "files": dict(self.kinds),
            "names": [asdict(name) for name in self.names],
            "qc": [asdict(row) for row in self.qc],
            "remarks": list(self.remarks),
        }


def _failure_row(failure: Failure) -> QcRow:
    return QcRow(
        case_id=failure.case_id,
        left_out=True,
        code=failure.code.value,
        where=failure.stage,
        what=failure.detail,
        next_step=failure.next_step,
    )


def _notice_row(case_id: str, where: str, flag: str, value: Scalar) -> QcRow:
    code = _CODES.get(flag)
    told = f"{value:.4g}" if isinstance(value, float) else str(value)
    name = flag.replace("_", " ")
    return QcRow(
        case_id=case_id,
        left_out=False,
        code=code.value if code else "",
        where=where,
        what=name if value is True else f"{name}: {told}",
        next_step=NEXT_STEPS[code] if code else "",
    )
