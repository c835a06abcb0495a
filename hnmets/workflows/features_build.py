"""`features build`: find what is missing, have it measured, commit it."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from feature_store.atomic import sweep
from feature_store.errors import StoreError
from feature_store.progress import write_progress
from feature_store.quarantine import Quarantined
from feature_store.shard import write_shard
from feature_store.store import FeatureStore
from hnmets.domain.case import Failure
from hnmets.domain.errors import HnmetsError
from hnmets.execution.base import Done, Executor, Failed
from hnmets.execution.local import LocalPool
from hnmets.workflows.build_files import FileBook
from hnmets.workflows.build_plan import BuildPlan, make_plan, tasks_of
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.duplicates import duplicated_images
from hnmets.workflows.measure import Measured, Work, measure
from hnmets.workflows.on_case import OnCase, ignore
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import Workbench, workbench_of

_COMMIT_CASES = 16
_PUBLISH_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked of a build.

    Parameters
    ----------
    only
        Families (cohort, clinical, outcome, size, radiomics, embedding); empty for all.
    cases
        Case ids; empty for all.
    force
        Compute again what is there already.
    """

    only: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    force: bool = False


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
            "remarks": list(self.remarks),
            "seconds": round(self.seconds, 3),
        }

    @property
    def exit_code(self) -> int:
        """0; 4 where cases were quarantined or have a defect in the table; 3 where all were."""
        if self.cases == self.quarantined:
            return 3
        return 4 if self.failures or self.defects else 0


def plan(study: Study, request: Request) -> BuildPlan:
    """Find what a build would do; nothing is computed.

    Raises
    ------
    StoreError
        If the store is locked or damaged.
    """
    cases, bench = read_cohort(study).chosen(request.cases), workbench_of(study, only=request.only)
    book = FileBook.of(cases, root=study.root)
    if not study.store_folder.exists():
        return make_plan(cases, bench=bench, known={}, digests={}, force=request.force)
    with FeatureStore.open(study.store_folder) as store:
        digests = book.trusted(store.files())
        return make_plan(
            cases, bench=bench, known=store.known(), digests=digests, force=request.force
        )


def run(
    study: Study,
    request: Request,
    *,
    on_case: OnCase = ignore,
    executor: Executor | None = None,
) -> BuildReport:
    """Measure what is missing, commit it in batches, publish it to readers.

    A case that fails, fails alone: it is quarantined with its reason and tried again by the
    next build. An interrupted build keeps what was measured.

    Raises
    ------
    StoreError
        If the store is locked, full or damaged.
    """
    begin = time.monotonic()
    cohort, bench = read_cohort(study), workbench_of(study, only=request.only)
    cases = cohort.chosen(request.cases)
    pool = executor or LocalPool(
        jobs=study.build.jobs, limits=study.build.limits, fatal=(HnmetsError, StoreError)
    )
    with FeatureStore.open(study.store_folder) as store:
        # Of the whole cohort, even where a few cases are built: images are compared across it.
        book = FileBook.of(cohort.cases, root=study.root)
        trusted = book.trusted(store.files())
        todo = make_plan(
            cases, bench=bench, known=store.known(), digests=trusted, force=request.force
        )
        sweep(bench.crop_folder)
        build = _Build(store=store, book=book, folder=study.store_folder, on_case=on_case)
        build.measure(todo, bench, pool)
        build.settle(cohort, todo, bench)
    return BuildReport(
        cases=len(cases),
        quarantined=len({c.case_id for c in cases} & {f.case_id for f in build.failures}),
        written=build.written(bench),
        unchanged=build.unchanged(bench, todo),
        excluded=cohort.failures,
        defects=cohort.defects,
        failures=tuple(build.failures),
        remarks=tuple(map(str, store.findings)),
        seconds=time.monotonic() - begin,
    )


@dataclass(kw_only=True)
class _Build:
    """A build under way: what came back from the workers, and what is committed of it."""

    store: FeatureStore
    book: FileBook
    folder: Path
    on_case: OnCase
    pending: list[Measured] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    published: float = field(default_factory=time.monotonic)

    def measure(self, todo: BuildPlan, bench: Workbench, pool: Executor) -> None:
        """Send the work to the pool and commit what comes back, whatever ends the build."""
        if todo.tabled:
            shard = write_shard(self.folder, bench.recipes, todo.tabled)
            rows = tuple((row.case_id, row.fingerprint) for row in todo.tabled)
            self.pending.append(Measured(shard=shard, rows=rows, digests={}, failures=()))
        tasks = tasks_of(bench, todo.measured)
        total, done = len(todo.measured), 0
        self._report("", done, total)
        try:
            for end in pool.map(measure, tasks):
                self._take(end)
                for work in end.task.cases:
                    done += 1
                    self._report(work.case.case_id, done, total)
                if len(self.pending) >= _COMMIT_CASES:
                    self._commit()
        except BaseException:
            # Ctrl-C, a full disk: what was measured stays, and readers see it.
            self._commit()
            self.store.publish()
            raise
        self._commit()

    def settle(self, cohort: Cohort, todo: BuildPlan, bench: Workbench) -> None:
        """Quarantine what failed, release what did not, show all of it to readers."""
        recorded = self.book.recorded(self.store.files())
        self.failures += [*todo.failures, *duplicated_images(cohort.cases, recorded)]
        standing = self._standing(cohort, todo, bench)
        self.store.release([entry.case_id for entry in self.store.quarantined()])
        self.store.quarantine(
            [
                *standing,
                *(
                    Quarantined(case_id=f.case_id, code=f.code, stage=f.stage, detail=f.detail)
                    for f in (*self.failures, *cohort.defects)
                ),
            ]
        )
        if self.rows:
            self.store.create_views()
        self.store.publish()

    def _standing(self, cohort: Cohort, todo: BuildPlan, bench: Workbench) -> list[Quarantined]:
        """Return the problems that this build had no reason to look at again."""
        present = {case.case_id for case in cohort.cases}
        tried = {work.case.case_id for work in todo.measured}
        of_tables = {"table", "cohort", *(table.recipe.name for table in bench.tables)}
        of_images = {"read", "crop", "task", *(r.name for r, _ in bench.regions_by_recipe)}
        return [
            entry
            for entry in self.store.quarantined()
            if entry.case_id in present
            and entry.stage not in of_tables
            and not (entry.case_id in tried and entry.stage in of_images)
        ]

    def written(self, bench: Workbench) -> dict[str, int]:
        """Return the rows written, by recipe label."""
        return {r.label: self.rows[r.fingerprint] for r in bench.recipes}

    def unchanged(self, bench: Workbench, todo: BuildPlan) -> dict[str, int]:
        """Return the rows that were there already, by recipe label."""
        return {
            r.label: todo.unchanged.get(r.label, 0) + self.same[r.fingerprint]
            for r in bench.recipes
        }

    def _take(self, end: Done[Work, Measured] | Failed[Work]) -> None:
        if isinstance(end, Failed):
            self.failures += [
                Failure(case_id=work.case.case_id, code=end.code, stage="task", detail=end.detail)
                for work in end.task.cases
            ]
            return
        self.failures += end.result.failures
        self.pending.append(end.result)

    def _commit(self) -> None:
        """Make everything that came back durable: one transaction."""
        shards = [measured.shard for measured in self.pending if measured.shard is not None]
        if shards:
            self.store.commit(shards)
        read = {path: d for measured in self.pending for path, d in measured.digests.items()}
        if read:
            self.store.remember_files(self.book.stamps(read))
        for measured in self.pending:
            self.rows.update(fingerprint for _, fingerprint in measured.rows)
            self.same.update(fingerprint for _, fingerprint in measured.unchanged)
        self.pending.clear()
        if shards and time.monotonic() - self.published > _PUBLISH_SECONDS:
            self.store.publish()
            self.published = time.monotonic()

    def _report(self, case_id: str, done: int, total: int) -> None:
        self.on_case(case_id, done, total)
        write_progress(self.folder, {"done": done, "total": total, "at": time.time()})
