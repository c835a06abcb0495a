"""What a build did, for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hnmets.domain.case import Failure
from hnmets.extractors.radiomics_audit import Verdict


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did.

    Parameters
    ----------
    cases, quarantined
        Cases that the build was about, and those of them with at least one failure.
    written, unchanged
        Rows by recipe label.
    excluded
        Rows that the table half of the gate left out.
    defects
        Those of them that somebody can mend; the others are the study's own rules.
    failures
        What could not be measured, and why.
    verdicts
        What the audit found, pair by pair.
    remarks
        What the store noticed and mended when it was opened.
    seconds
        Wall time.
    """

    cases: int
    quarantined: int
    written: Mapping[str, int]
    unchanged: Mapping[str, int]
    excluded: tuple[Failure, ...]
    defects: tuple[Failure, ...]
    failures: tuple[Failure, ...]
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, object]:
        """Return the report as a JSON object."""
        return {
            "cases": self.cases,
            "written": dict(self.written),
            "unchanged": dict(self.unchanged),
            "excluded": [failure.as_json() for failure in self.excluded],
            "failures": [failure.as_json() for failure in self.failures],
            "audit": [asdict(verdict) for verdict in self.verdicts],
            "remarks": list(self.remarks),
            "seconds": round(self.seconds, 3),
        }

    @property
    def exit_code(self) -> int:
        """0; 4 where cases were quarantined or have a defect in the table; 3 where all were."""
        if self.cases == self.quarantined:
            return 3
        return 4 if self.failures or self.defects else 0
