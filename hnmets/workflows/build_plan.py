"""What a build has to do: the rows that the store lacks, case by case."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from feature_store.row import Row
from hnmets.domain.case import Case, Failure
from hnmets.domain.errors import CaseError
from hnmets.workflows.auditing import Pair
from hnmets.workflows.identity import digest_of_files, files_of
from hnmets.workflows.measure import CaseWork, Work
from hnmets.workflows.workbench import Workbench

NEW, TOUCHED, CHANGED, FORCED = "new", "file touched", "input changed", "forced"


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """What a build will do.

    Parameters
    ----------
    cases
        What is missing, case by case; rows from tables are made already.
    missing
        Rows to make, by recipe label and reason.
    unchanged
        Rows that are there already, by recipe label.
    failures
        Table values that are no feature.
    """

    cases: tuple[CaseWork, ...]
    missing: Mapping[str, Mapping[str, int]]
    unchanged: Mapping[str, int]
    failures: tuple[Failure, ...]

    def as_json(self) -> dict[str, object]:
        """Return the plan as a JSON object."""
        return {
            "images": len(self.measured),
            "missing": {label: dict(reasons) for label, reasons in self.missing.items()},
            "unchanged": dict(self.unchanged),
            "failures": [failure.as_json() for failure in self.failures],
        }

    @property
    def measured(self) -> tuple[CaseWork, ...]:
        """Cases whose images have to be read."""
        return tuple(work for work in self.cases if work.wanted)

    def needs(self, fingerprints: Iterable[str]) -> bool:
        """Whether any case lacks one of these recipes."""
        missing = {fingerprint for work in self.cases for fingerprint in work.wanted}
        return not missing.isdisjoint(fingerprints)

    @property
    def tabled(self) -> tuple[Row, ...]:
        """Rows of cases that need no image."""
        return tuple(row for work in self.cases if not work.wanted for row in work.ready)


def make_plan(
    cases: Sequence[Case],
    *,
    bench: Workbench,
    known: Mapping[tuple[str, str], str],
    digests: Mapping[str, str],
    force: bool,
) -> BuildPlan:
    """Compare what the study asks for with what the store has.

    Parameters
    ----------
    known
        Input digest of the current row by (case, fingerprint).
    digests
        Digest by path of every file that is surely unchanged since it was read.
    """
    comparison = _Comparison(bench=bench, known=known, digests=digests, force=force)
    works = [comparison.work_of(case) for case in cases]
    return BuildPlan(
        cases=tuple(work for work in works if work.wanted or work.ready),
        missing=comparison.missing,
        unchanged=comparison.unchanged,
        failures=tuple(comparison.failures),
    )


def with_audit(plan: BuildPlan, pairs: Collection[Pair]) -> BuildPlan:
    """Return the plan with those of the pairs marked that it measures: PyRadiomics does too."""
    cases = (
        replace(work, audited=frozenset(f for f in work.wanted if (work.case.case_id, f) in pairs))
        for work in plan.cases
    )
    return replace(plan, cases=tuple(cases))


def only_audited(plan: BuildPlan) -> BuildPlan:
    """Return the part of a plan that PyRadiomics measures too."""
    cases = tuple(
        replace(work, wanted=work.audited, ready=()) for work in plan.cases if work.audited
    )
    return replace(plan, cases=cases, failures=())


def tasks_of(bench: Workbench, works: Sequence[CaseWork]) -> list[Work]:
    """Group the work: cases that only lack an embedding share a batch, others go alone."""
    together = [work for work in works if bench.only_embeddings(work.wanted)]
    alone = [work for work in works if not bench.only_embeddings(work.wanted)]
    size = bench.batch
    batches = [tuple(together[start : start + size]) for start in range(0, len(together), size)]
    return [Work(bench=bench, cases=batch) for batch in [*((work,) for work in alone), *batches]]


@dataclass(kw_only=True)
class _Comparison:
    """What the store has against what each case should have; counts as it goes."""

    bench: Workbench
    known: Mapping[tuple[str, str], str]
    digests: Mapping[str, str]
    force: bool
    missing: dict[str, Counter[str]] = field(default_factory=dict)
    unchanged: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def work_of(self, case: Case) -> CaseWork:
        """Return what is missing of a case; nothing may be."""
        wanted = self._wanted(case) if case.image is not None else frozenset()
        files = map(str, case.files)
        return CaseWork(
            case=case,
            wanted=wanted,
            known={} if self.force else {f: self._stored(case, f) or "" for f in wanted},
            digests={file: self.digests[file] for file in files if file in self.digests},
            ready=tuple(self._ready(case)),
        )

    def _wanted(self, case: Case) -> frozenset[str]:
        wanted = set()
        for label, fingerprint, regions in self._recipes:
            digest = digest_of_files(files_of(case, self.bench.rules, regions), self.digests)
            if self._is_missing(label, self._stored(case, fingerprint), digest):
                wanted.add(fingerprint)
        return frozenset(wanted)

    def _ready(self, case: Case) -> Iterator[Row]:
        for table in self.bench.tables:
            recipe = table.recipe
            try:
                row = table.row(case)
            except CaseError as error:
                self.failures.append(Failure.of(case.case_id, recipe.name, error))
                continue
            stored = self._stored(case, recipe.fingerprint)
            if self._is_missing(recipe.label, stored, row.input_digest):
                yield row

    @cached_property
    def _recipes(self) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(r.label, r.fingerprint, names) for r, names in self.bench.regions_by_recipe]

    def _stored(self, case: Case, fingerprint: str) -> str | None:
        return self.known.get((case.case_id, fingerprint))

    def _is_missing(self, label: str, stored: str | None, digest: str | None) -> bool:
        reason = _reason(stored, digest, force=self.force)
        if reason is None:
            self.unchanged[label] += 1
            return False
        self.missing.setdefault(label, Counter())[reason] += 1
        return True


def _reason(stored: str | None, digest: str | None, *, force: bool) -> str | None:
    if stored is None:
        return NEW
    if force:
        return FORCED
    if digest is None:
        return TOUCHED
    return CHANGED if digest != stored else None
