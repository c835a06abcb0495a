"""`features sheet`: one picture per case, so that a person sees where the masks lie."""

from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.case import Failure
from hnmets.domain.errors import UsageError
from hnmets.execution.base import Executor, Failed
from hnmets.execution.local import LocalPool
from hnmets.imaging.slice import RegionSlice, region_slice
from hnmets.reporting.contact_sheet import Tile, write_sheets
from hnmets.workflows.case_reader import Reading, read_case, readings_of
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The pages, PNG, and the cases whose tile says why there is no picture."""

    pages: list[Path]
    failures: tuple[Failure, ...]

    @property
    def exit_code(self) -> int:
        """0; 4 where a case could not be read."""
        return 4 if self.failures else 0


def run(
    study: Study,
    out: Path,
    *,
    cases: tuple[str, ...] = (),
    on_case: OnCase = ignore,
    executor: Executor | None = None,
) -> Drawn:
    """Draw the slice with the largest tumour area of every case, regions outlined.

    A case that cannot be read has a tile that says why.

    Raises
    ------
    UsageError
        If there is no such case, or none has an image.
    """
    readings = readings_of(study, read_cohort(study).chosen(cases))
    if not readings:
        raise UsageError("the cohort has no images to show").with_note(
            "Set [cohort] image in the study file."
        )
    pool = executor or LocalPool(jobs=study.build.jobs, limits=study.build.limits)
    tiles: dict[str, Tile] = {}
    failures = []
    for number, end in enumerate(pool.map(_slice, readings), start=1):
        case_id = end.task.case.case_id
        on_case(case_id, number, len(readings))
        if isinstance(end, Failed):
            tiles[case_id] = Tile(title=case_id, note=f"{end.code}", outlines={})
            failures.append(
                Failure(case_id=case_id, code=end.code, stage="read", detail=end.detail)
            )
        else:
            tiles[case_id] = _tile(end.result)
    pages = write_sheets([tiles[reading.case.case_id] for reading in readings], out)
    return Drawn(pages=pages, failures=tuple(failures))


def _slice(reading: Reading) -> RegionSlice:
    return region_slice(read_case(reading).case)


def _tile(found: RegionSlice) -> Tile:
    height, width = (
        round(size * step) for size, step in zip(found.hu.shape, found.spacing_mm, strict=True)
    )
    return Tile(
        title=found.case_id,
        note=f"slice {found.number}, {width} × {height} mm",
        hu=found.hu,
        outlines=found.masks,
        spacing_mm=found.spacing_mm,
    )
