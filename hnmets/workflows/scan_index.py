"""The export's files, looked at one by one: a file that breaks its reader costs itself alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hnmets.domain.errors import Code
from hnmets.execution.base import Executor, Failed
from hnmets.sources.dicom.instance import Instance, read_instance
from hnmets.sources.dicom.kind import CONTOURED, Kind
from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.workflows.on_case import OnCase

NOBODY = "no-patient-id"
_BATCH = 64
# Without a patient id these are a problem; an index file or a log of the export is not.
_SOMEBODYS = frozenset({Kind.CT, Kind.DAMAGED, *CONTOURED})


@dataclass(frozen=True, kw_only=True)
class _Batch:
    paths: tuple[Path, ...]
    pseudonyms: Pseudonyms


def look_at(
    paths: Sequence[Path], pseudonyms: Pseudonyms, *, executor: Executor, on_case: OnCase
) -> list[Instance]:
    """Return what every file is, in the order of the paths.

    Parameters
    ----------
    on_case
        Told how many files were looked at.
    """
    found: dict[Path, Instance] = {}
    waiting = [tuple(paths[n : n + _BATCH]) for n in range(0, len(paths), _BATCH)]
    while waiting:
        again: list[tuple[Path, ...]] = []
        batches = (_Batch(paths=batch, pseudonyms=pseudonyms) for batch in waiting)
        for end in executor.map(_look, batches):
            if not isinstance(end, Failed):
                found |= {instance.path: instance for instance in end.result}
            elif len(end.task.paths) > 1:
                # One of them breaks the reader: which one shows when each is alone.
                again += [(path,) for path in end.task.paths]
            else:
                found |= {path: _broken(path, end.code) for path in end.task.paths}
            on_case("files", len(found), len(paths))
        waiting = again
    return [found[path] for path in paths]


def _look(batch: _Batch) -> list[Instance]:
    return [read_instance(path, batch.pseudonyms) for path in batch.paths]


def _broken(path: Path, code: Code) -> Instance:
    # The worker's own words may quote the file, and so are not told.
    trouble = (Code.IMAGE_CORRUPT, f"the file cannot be read ({code})")
    return Instance(path=path, kind=Kind.DAMAGED, trouble=trouble)


def by_patient(instances: Sequence[Instance]) -> Iterator[tuple[str, list[Instance]]]:
    """Yield each patient's files; damaged ones belong to the patients of their folder.

    CT, contours and damaged files that name no patient come under `NOBODY`.
    """
    owners: dict[Path, set[str]] = {}
    for instance in instances:
        if instance.patient:
            owners.setdefault(instance.path.parent, set()).add(instance.patient)
    groups: dict[str, list[Instance]] = {}
    for instance in instances:
        names = {instance.patient} if instance.patient else set()
        if not names and instance.kind is Kind.DAMAGED:
            names = owners.get(instance.path.parent, names)
        if not names and instance.kind in _SOMEBODYS:
            names = {NOBODY}
        for name in names:
            groups.setdefault(name, []).append(instance)
    yield from sorted(groups.items())
