"""`features build`: find what is missing, have it measured, commit it."""

import time
from collections import Counter
from dataclasses import dataclass, field, replace
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
from hnmets.extractors.radiomics_audit import Verdict
from hnmets.extractors.trained_embedding import TrainedEmbedding
from hnmets.workflows.alteration import alteration_of
from hnmets.workflows.auditing import Pair, drawn, stop_if_untrue
from hnmets.workflows.build_files import FileBook
from hnmets.workflows.build_plan import BuildPlan, make_plan, only_audited, tasks_of, with_audit
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.compilation import prepare
from hnmets.workflows.duplicates import duplicated_images
from hnmets.workflows.measure import Measured, Work, measure
from hnmets.workflows.on_case import OnCase, OnStep, ignore, say_nothing
from hnmets.workflows.settlement import stale_rows, standing, unmeasured
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
    names
        Recipes that read images, by name: `radiomics.tumour`; empty for all of their families.
    cases
        Case ids; empty for all.
    force
        Compute again what is there already.
    audit
        Stored pairs to compute again, and to compare with PyRadiomics; nothing else is done.
    control, perturb
        Name of the control or perturbation that every case goes through, for a build of its own
        recipes; None for the study itself.
    networks
        What the networks of a registered model see, beside the rest.
    """

    only: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    cases: tuple[str, ...] = ()
    force: bool = False
    audit: frozenset[Pair] = frozenset()
    control: str | None = None
    perturb: str | None = None
    networks: tuple[TrainedEmbedding, ...] = ()

    def bench(self, study: Study) -> Workbench:
        """Set up the extractors that the request needs.

        Raises
        ------
        UsageError
            If a family, a control or a perturbation of it does not exist.
        """
        alteration = alteration_of(study, control=self.control, perturb=self.perturb)
        bench = workbench_of(study, only=self.only, alteration=alteration)
        bench = bench.of(self.names) if self.names else bench
        return replace(bench, embeddings=(*bench.embeddings, *self.networks))


def plan(study: Study, request: Request) -> BuildPlan:
    """Find what a build would do; nothing is computed.

    Raises
    ------
    StoreError
        If the store is locked or damaged.
    """
    cases, bench = read_cohort(study).chosen(request.cases), request.bench(study)
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
    on_step: OnStep = say_nothing,
    executor: Executor | None = None,
) -> BuildReport:
    """Measure what is missing, commit it in batches, publish it to readers.

    A case that fails, fails alone: it is quarantined with its reason and tried again by the
    next build. An interrupted build keeps what was measured.

    Raises
    ------
    StoreError
        If the store is locked, full or damaged.
    AuditFailedError
        If PyRadiomics contradicts the fast engine; what was measured is kept.
    """
    begin = time.monotonic()
    cohort, bench = read_cohort(study), request.bench(study)
    cases = cohort.chosen(request.cases)
    pool = executor or LocalPool(
        jobs=study.build.jobs, limits=study.build.limits, fatal=(HnmetsError, StoreError)
    )
    with FeatureStore.open(study.store_folder) as store:
        # Of the whole cohort, even where a few cases are built: images are compared across it.
        book = FileBook.of(cohort.cases, root=study.root)
        trusted = book.trusted(store.files())
        force = request.force or bool(request.audit)
        todo = make_plan(cases, bench=bench, known=store.known(), digests=trusted, force=force)
        todo = with_audit(todo, request.audit or _lot(study, cohort, bench))
        todo = only_audited(todo) if request.audit else todo
        sweep(bench.crop_folder)
        if todo.needs(m.recipe.fingerprint for m in bench.measures):
            prepare(on_step)
        build = _Build(
            store=store,
            book=book,
            folder=study.store_folder,
            on_case=on_case,
            digests=dict(trusted),
        )
        build.measure(todo, bench, pool)
        build.settle(cohort, todo, bench, whole=workbench_of(study))
    return BuildReport(
        cases=len(cases),
        quarantined=len({c.case_id for c in cases} & {f.case_id for f in build.failures}),
        written=build.written(bench),
        unchanged=build.unchanged(bench, todo),
        excluded=cohort.failures,
        defects=cohort.defects,
        failures=tuple(build.failures),
        verdicts=tuple(build.verdicts),
        remarks=tuple(map(str, store.findings)),
        seconds=time.monotonic() - begin,
    )


def _lot(study: Study, cohort: Cohort, bench: Workbench) -> frozenset[Pair]:
    """Draw the pairs of the whole cohort, so that a build that is resumed draws the same."""
    pairs = ((case.case_id, f) for case in cohort.cases if case.image for f in bench.audits)
    return drawn(pairs, percent=study.build.audit_percent)


@dataclass(kw_only=True)
class _Build:
    """A build under way: what came back from the workers, and what is committed of it.

    Parameters
    ----------
    digests
        Digest by path of every file whose content is known: trusted or read by this build.
    """

    store: FeatureStore
    book: FileBook
    folder: Path
    on_case: OnCase
    digests: dict[str, str]
    pending: list[Measured] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    published: float = field(default_factory=time.monotonic)

    def measure(self, todo: BuildPlan, bench: Workbench, pool: Executor) -> None:
        """Send the work to the pool and commit what comes back, whatever ends the build."""
        if todo.tabled:
            shard = write_shard(self.folder, bench.stored_recipes, todo.tabled)
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
                stop_if_untrue(self.verdicts)
                if len(self.pending) >= _COMMIT_CASES:
                    self._commit()
        except BaseException:
            # Ctrl-C, a full disk: what was measured stays, and readers see it.
            self._commit()
            self.store.publish()
            raise
        self._commit()

    def settle(
        self, cohort: Cohort, todo: BuildPlan, bench: Workbench, *, whole: Workbench
    ) -> None:
        """Quarantine what failed, release what did not, show all of it to readers."""
        recorded = self.book.recorded(self.store.files())
        self.failures += [*todo.failures, *duplicated_images(cohort.cases, recorded)]
        before = self.store.quarantined()
        # What fails in a control may be the control's doing: the study's next build looks.
        failures = [] if bench.alteration else self.failures
        stale = stale_rows(
            unmeasured(before, cohort, todo, failures),
            whole,
            recipes=self.store.recipes,
            known=self.store.known(),
            digests=self.digests,
        )
        failed = (
            Quarantined(case_id=f.case_id, code=f.code, stage=f.stage, detail=f.detail)
            for f in (*self.failures, *cohort.defects)
        )
        now = [*standing(before, cohort, todo, bench), *failed, *stale]
        self.store.release([entry.case_id for entry in before])
        self.store.quarantine(now)
        if self.rows:
            self.store.create_views()
        self.store.publish()

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
                Failure(
                    case_id=work.case.case_id,
                    code=end.code,
                    stage=end.task.bench.stage("task"),
                    detail=end.detail,
                )
                for work in end.task.cases
            ]
            return
        self.failures += end.result.failures
        self.verdicts += end.result.verdicts
        self.digests |= end.result.digests
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
