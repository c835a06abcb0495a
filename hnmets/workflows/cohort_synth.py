"""`cohort synth`: write a cohort whose truth is known."""

from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import UsageError
from hnmets.execution.base import Executor, Failed
from hnmets.execution.local import LocalPool
from hnmets.sources.synthetic.cohort import SyntheticCohort, write_case, write_tables
from hnmets.workflows.on_case import OnCase, ignore

_OTHERS = ("cohort.csv", "study.toml")


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written."""

    cases: int
    events: int


@dataclass(frozen=True, kw_only=True)
class _Draw:
    parameters: SyntheticCohort
    index: int
    folder: Path


def is_complete(folder: Path) -> bool:
    """Tell whether a synthetic cohort was written to its end."""
    return all((folder / name).exists() for name in (*_OTHERS, "truth.json"))


def run(
    out: Path,
    parameters: SyntheticCohort,
    *,
    jobs: int = 1,
    on_case: OnCase = ignore,
    executor: Executor | None = None,
) -> Made:
    """Write images, masks, table, study file and truth into a folder.

    Raises
    ------
    UsageError
        If the folder holds another cohort, or a case could not be written.
    """
    # A study file without the truth beside it is a person's own; with it, a killed run's.
    if any((out / name).exists() for name in _OTHERS) and not (out / "truth.json").exists():
        raise UsageError(f"{out} holds a cohort already").with_note("Choose another folder.")
    if is_complete(out):
        raise UsageError(f"{out} holds a cohort already").with_note("Choose another folder.")
    out.mkdir(parents=True, exist_ok=True)
    draws = [
        _Draw(parameters=parameters, index=index, folder=out) for index in range(parameters.cases)
    ]
    pool = executor or LocalPool(jobs=jobs)
    for number, end in enumerate(pool.map(_draw, draws), start=1):
        if isinstance(end, Failed):
            raise UsageError(f"case {end.task.index + 1}: {end.code}: {end.detail}")
        on_case(f"case {end.task.index + 1}", number, len(draws))
    # The tables come last: their presence says that the images are all there.
    write_tables(parameters, out)
    people = parameters.people()
    return Made(cases=len(people), events=sum(person.event for person in people))


def _draw(draw: _Draw) -> None:
    write_case(draw.parameters, draw.index, draw.folder)
