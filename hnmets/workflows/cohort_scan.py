"""`cohort scan`: from a hospital's export folder to a manifest, masks and a QC table."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hnmets.domain.case import Failure
from hnmets.domain.errors import Code, UsageError
from hnmets.execution.base import Done, Executor, Failed, Limits
from hnmets.execution.local import LocalPool
from hnmets.reporting.scan import scan_pages
from hnmets.sources.dicom.crawl import Crawled, crawl
from hnmets.sources.dicom.instance import Instance
from hnmets.sources.dicom.pseudonym import Pseudonyms
from hnmets.sources.dicom.region_names import read_name
from hnmets.sources.dicom.region_rules import RegionRules
from hnmets.sources.dicom.scanned import Scan, ScannedPatient, SeenName
from hnmets.sources.dicom.vocabulary import shown_region
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.scan_index import by_patient, look_at
from hnmets.workflows.scan_patient import PatientTask, scan_patient
from hnmets.workflows.scan_state import FORMAT, Outcome, ScanState
from hnmets.workflows.scan_tables import STUDY, study_text, tables_of, write_changed

_LOOKING = Limits(time_s=120, memory_gib=2)
_READING = Limits(time_s=900, memory_gib=8)
_OWN_WORDS = re.compile(r"(?P<kind>\w+):.*(?P<place>\(in [^()]*\))", re.DOTALL)
_LIBRARYS_WORDS = frozenset({Code.EXTRACTOR, Code.MEMORY})
# What ends all work: a full disk, a folder that may not be written to.
_FATAL = (UsageError, OSError)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to scan.

    Parameters
    ----------
    root
        The export.
    out
        Folder for manifest, masks and tables.
    rules
        Which names are which region.
    pseudonyms
        Names for patients.
    """

    root: Path
    out: Path
    rules: RegionRules
    pseudonyms: Pseudonyms


@dataclass(frozen=True, kw_only=True)
class Executors:
    """Where files are looked at, and where patients are read."""

    looking: Executor
    reading: Executor

    @classmethod
    def local(cls, jobs: int) -> "Executors":
        """Return worker processes with the limits of each."""
        return cls(
            looking=LocalPool(jobs=jobs, limits=_LOOKING, fatal=_FATAL),
            reading=LocalPool(jobs=jobs, limits=_READING, fatal=_FATAL),
        )


def run(
    request: Request,
    *,
    executors: Executors | None = None,
    jobs: int = 1,
    on_case: OnCase = ignore,
) -> Scan:
    """Scan an export; what an earlier scan has done with the same files is not done again.

    Raises
    ------
    UsageError
        If the output folder lies in the export, is in use, or was made with another key.
    InvalidDataError
        If there is no export.
    """
    _require_apart(request)
    found = crawl(request.root)
    fingerprint = _fingerprint(request, found)
    request.out.mkdir(parents=True, exist_ok=True)
    state = ScanState(request.out, request.pseudonyms)
    with state.locked():
        if (kept := state.whole(fingerprint)) is not None:
            return kept
        places = executors or Executors.local(jobs)
        instances = _look(request, found, places, on_case)
        groups = dict(by_patient(instances))
        memory = _Memory(state=state, digests=_digests(request, found, groups))
        ends = _read(request, groups, memory, places.reading, on_case)
        scan = _scan(request, found, instances, ends)
        tables = {**tables_of(scan, request.rules), **scan_pages(scan)}
        write_changed(request.out, tables)
        if not (request.out / STUDY).exists():
            write_changed(request.out, {STUDY: study_text(request.rules)})
        state.forget_others(groups)
        state.keep_whole(fingerprint, scan, [*tables, STUDY])
    return scan


def preview(
    request: Request,
    *,
    executors: Executors | None = None,
    jobs: int = 1,
    on_case: OnCase = ignore,
) -> Scan:
    """Say from headers alone what a scan would do; regions have their names as in the export.

    Nothing is written. The names are for the screen of whoever may see them.
    """
    places = executors or Executors.local(jobs)
    found = crawl(request.root)
    instances = _look(request, found, places, on_case)
    groups = dict(by_patient(instances))
    tasks = (_task(request, name, group, out=None) for name, group in groups.items())
    ends = {end.task.patient: _outcome(end) for end in places.looking.map(scan_patient, tasks)}
    return _scan(request, found, instances, ends, shown=str)


def _require_apart(request: Request) -> None:
    root, out = request.root.resolve(), request.out.resolve()
    if out.is_relative_to(root) or root.is_relative_to(out):
        raise UsageError("the export and the output folder lie in each other").with_note(
            "Choose an output folder (--out) outside of the export."
        )


def _fingerprint(request: Request, found: Crawled) -> str:
    """Return what changes when a scan could find something else; a keyed hash."""
    lines = [f"{file.name}\0{file.size}\0{file.changed_ns}" for file in found.files]
    return request.pseudonyms.digest("\n".join([*_recipe(request), *lines]))


def _recipe(request: Request) -> tuple[str, ...]:
    return str(FORMAT), version("hnmets"), version("pydicom"), request.rules.digest


def _digests(
    request: Request, found: Crawled, groups: Mapping[str, Sequence[Instance]]
) -> dict[str, str]:
    stamps = {
        request.root / file.name: f"{file.name}\0{file.size}\0{file.changed_ns}"
        for file in found.files
    }
    return {
        name: request.pseudonyms.digest(
            "\n".join([*_recipe(request), *(stamps[instance.path] for instance in group)])
        )
        for name, group in groups.items()
    }


def _look(request: Request, found: Crawled, places: Executors, on_case: OnCase) -> list[Instance]:
    paths = [request.root / file.name for file in found.files]
    return look_at(paths, request.pseudonyms, executor=places.looking, on_case=on_case)


def _read(
    request: Request,
    groups: Mapping[str, Sequence[Instance]],
    memory: "_Memory",
    executor: Executor,
    on_case: OnCase,
) -> dict[str, Outcome]:
    """Return what was found of each patient; those who were read before are not read again."""
    ends = {name: kept for name in groups if (kept := memory.of(name)) is not None}
    waiting = [name for name in groups if name not in ends]
    tasks = (_task(request, name, groups[name], out=request.out) for name in waiting)
    for number, end in enumerate(executor.map(scan_patient, tasks), start=1):
        ends[end.task.patient] = memory.keep(end.task.patient, _outcome(end))
        on_case(end.task.patient, number, len(waiting))
    return ends


@dataclass(frozen=True, kw_only=True)
class _Memory:
    """What is known of patients, each with the digest of the files and rules it came from."""

    state: ScanState
    digests: Mapping[str, str]

    def of(self, patient: str) -> Outcome | None:
        return self.state.patient(patient, self.digests[patient])

    def keep(self, patient: str, end: Outcome) -> Outcome:
        self.state.keep_patient(patient, self.digests[patient], end)
        return end


def _task(
    request: Request, patient: str, group: Sequence[Instance], *, out: Path | None
) -> PatientTask:
    return PatientTask(
        patient=patient,
        instances=tuple(group),
        rules=request.rules,
        out=out,
        memory_gib=_READING.memory_gib / 2,
    )


def _outcome(end: Done[PatientTask, ScannedPatient] | Failed[PatientTask]) -> Outcome:
    if isinstance(end, Failed):
        return Failure(
            case_id=end.task.patient, code=end.code, stage="scan", detail=_own_words(end)
        )
    return end.result


def _own_words(end: Failed[PatientTask]) -> str:
    """Return what may be told of a failure: a library's message may quote the header."""
    if end.code not in _LIBRARYS_WORDS:
        return end.detail
    match = _OWN_WORDS.fullmatch(end.detail)
    return f"{match['kind']} {match['place']}" if match else "no details"


def _scan(
    request: Request,
    found: Crawled,
    instances: Sequence[Instance],
    ends: Mapping[str, Outcome],
    *,
    shown: Callable[[str], str] = shown_region,
) -> Scan:
    ordered = [ends[name] for name in sorted(ends)]
    kinds = Counter(instance.kind.value for instance in instances)
    return Scan(
        rules=f"{request.rules.name} @ {request.rules.digest[:8]}",
        patients=tuple(end for end in ordered if isinstance(end, ScannedPatient)),
        failures=tuple(end for end in ordered if isinstance(end, Failure)),
        kinds=dict(sorted(kinds.items())),
        names=tuple(_names(instances, request.rules, shown)),
        remarks=tuple(_remarks(found)),
    )


def _names(
    instances: Iterable[Instance], rules: RegionRules, shown: Callable[[str], str]
) -> list[SeenName]:
    """Return every name once, the readable ones first."""
    owners: dict[tuple[str, str, str, str], set[str]] = {}
    for instance in instances:
        for region in instance.references.regions:
            reading = read_name(region.name, rules)
            key = (shown(region.name), reading.verdict.value, ", ".join(reading.roles), reading.by)
            owners.setdefault(key, set()).add(instance.patient)
    return [
        SeenName(name=name, patients=len(patients), verdict=verdict, role=role, rule=rule)
        for (name, verdict, role, rule), patients in sorted(
            owners.items(), key=lambda item: (not item[0][2], item[0][2:], item[0])
        )
    ]


def _remarks(found: Crawled) -> Iterator[str]:
    if found.links:
        yield f"{found.links} symbolic links were not followed"
    if found.closed:
        yield f"{found.closed} folders could not be listed"
