"""`cohort check`: the gate. It reads everything and changes nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hnmets.domain.case import Case, Failure
from hnmets.domain.errors import NEXT_STEPS, Code
from hnmets.domain.region import Scalar
from hnmets.execution.base import Executor, Failed
from hnmets.execution.local import LocalPool
from hnmets.sources.flow import Flow, flow
from hnmets.workflows.case_reader import Reading, read_case, readings_of
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.duplicates import duplicated_images
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import Study

# A CT whose numbers do not look like HU may be an odd one: a person decides, not the gate.
_SUSPECT = {"hu_suspect": Code.HU_RANGE}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something about a case's image that a person should know; it does not exclude the case.

    Parameters
    ----------
    where
        `image`, or the name of a region.
    """

    case_id: str
    where: str
    flag: str
    value: Scalar

    @property
    def code(self) -> Code | None:
        """The problem that the flag may mean; None where it is a fact to know."""
        return _SUSPECT.get(self.flag)

    def as_json(self) -> dict[str, Scalar]:
        """Return the notice as a JSON object."""
        step = NEXT_STEPS[self.code] if self.code else ""
        return {**asdict(self), "code": self.code, "next_step": step}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the gate found.

    Parameters
    ----------
    table
        The table half: values not understood, data dictionary, warnings.
    image_failures
        Cases that the table lets in and their images do not.
    notices
        What was let pass with a flag.
    images
        How many images were read.
    """

    table: Cohort
    image_failures: tuple[Failure, ...]
    notices: tuple[Notice, ...]
    images: int

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every row left out, by the table or by its image, each with one reason."""
        return (*self.table.failures, *self.image_failures)

    @property
    def flow(self) -> Flow:
        """How many rows were read, left out by which reason, and included."""
        return flow(read=self.table.rows_read, included=len(self.included), failures=self.failures)

    @property
    def included(self) -> tuple[Case, ...]:
        """Cases that passed table and image."""
        left_out = {failure.case_id for failure in self.image_failures}
        return tuple(case for case in self.table.cases if case.case_id not in left_out)

    @property
    def patients(self) -> int:
        """Patients among the included cases."""
        return len({case.patient_id for case in self.included})

    @property
    def events(self) -> int | None:
        """Included patients with the event; None where the study has no outcome."""
        if self.table.events is None:
            return None
        return len({c.patient_id for c in self.included if c.outcome and c.outcome.event})

    def as_json(self) -> dict[str, Any]:  # Any: a tree of JSON values
        """Return everything that was found as a JSON object."""
        return {
            "flow": asdict(self.flow),
            "patients": self.patients,
            "events": self.events,
            "excluded": [failure.as_json() for failure in self.failures],
            "dictionary": [asdict(variable) for variable in self.table.dictionary],
            "findings": [asdict(finding) for finding in self.table.findings],
            "notices": [notice.as_json() for notice in self.notices],
            "warnings": list(self.table.warnings),
            "unused_columns": list(self.table.unused_columns),
        }

    @property
    def exit_code(self) -> int:
        """0; 3 where no case is left; 4 where cases were left out for a defect."""
        if not self.flow.included:
            return 3
        return 4 if any(not exclusion.by_rule for exclusion in self.flow.exclusions) else 0


@dataclass(frozen=True, kw_only=True)
class _Looked:
    notices: tuple[Notice, ...]
    digests: Mapping[str, str]


def run(
    study: Study,
    *,
    on_case: OnCase = ignore,
    executor: Executor | None = None,
) -> Checked:
    """Check the table, then read every image and build every region.

    Raises
    ------
    InvalidDataError
        If the table as a whole cannot be used.
    """
    table = read_cohort(study)
    readings = readings_of(study, table.cases)
    pool = executor or LocalPool(jobs=study.build.jobs, limits=study.build.limits)
    failures: dict[str, Failure] = {}
    notices: list[Notice] = []
    digests: dict[str, str] = {}
    for number, end in enumerate(pool.map(_look, readings), start=1):
        case_id = end.task.case.case_id
        on_case(case_id, number, len(readings))
        if isinstance(end, Failed):
            failures[case_id] = Failure(
                case_id=case_id, code=end.code, stage="image", detail=end.detail
            )
        else:
            notices += end.result.notices
            digests |= end.result.digests
    for failure in duplicated_images(table.cases, digests):
        failures.setdefault(failure.case_id, failure)
    order = {case.case_id: number for number, case in enumerate(table.cases)}
    return Checked(
        table=table,
        image_failures=tuple(sorted(failures.values(), key=lambda f: order[f.case_id])),
        notices=tuple(sorted(notices, key=lambda n: order[n.case_id])),
        images=len(readings),
    )


def _look(reading: Reading) -> _Looked:
    """Read one case through every check."""
    read = read_case(reading)
    flags: list[tuple[str, Mapping[str, Scalar]]] = [("image", read.case.flags)]
    for name, regions in read.case.regions.items():
        flags += [(name, region.flags) for region in regions]
    return _Looked(
        notices=tuple(
            Notice(case_id=reading.case.case_id, where=where, flag=flag, value=value)
            for where, found in flags
            for flag, value in found.items()
            if value  # a share of 0 is no news
        ),
        digests=read.digests,
    )
