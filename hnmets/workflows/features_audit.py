"""`features audit`: how much of the fast radiomics PyRadiomics has confirmed, and more of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from feature_store.errors import NothingPublishedError
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.workflows import features_build
from hnmets.workflows.auditing import Pair, drawn
from hnmets.workflows.build_report import BuildReport
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.features_build import Request
from hnmets.workflows.on_case import OnCase, OnStep, ignore, say_nothing
from hnmets.workflows.store_view import in_view
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import workbench_of


@dataclass(frozen=True, kw_only=True)
class AuditCoverage:
    """How much of a recipe was compared with PyRadiomics.

    Parameters
    ----------
    compared, stored
        Cases that were, and cases that the store has.
    worst
        The largest relative difference; None where nothing was compared.
    """

    recipe: str
    compared: int
    stored: int
    worst: float | None

    def __str__(self) -> str:
        worst = "" if self.worst is None else f", worst relative difference {self.worst:.1e}"
        share = f"{self.compared} of {self.stored} cases"
        return f"audit of {self.recipe}: {share} compared with PyRadiomics{worst}"


def run(
    study: Study,
    *,
    percent: float,
    cases: Sequence[str] = (),
    on_case: OnCase = ignore,
    on_step: OnStep = say_nothing,
) -> BuildReport:
    """Measure a share of the stored regions again, by both engines, and store the comparison.

    Parameters
    ----------
    percent
        Of the regions that were not compared before.
    cases
        Case ids; empty for all.

    Raises
    ------
    UsageError
        If there is no such case.
    AuditFailedError
        If PyRadiomics contradicts the fast engine.
    """
    waiting = [pair for pair in _unaudited(study) if not cases or pair[0] in cases]
    request = Request(
        only=("radiomics",), cases=tuple(cases), audit=drawn(waiting, percent=percent)
    )
    return features_build.run(study, request, on_case=on_case, on_step=on_step)


def coverage(study: Study) -> tuple[AuditCoverage, ...]:
    """Tell for each of the study's fast recipes how far the audit is."""
    snapshot = _published(study)
    found = []
    for audit in workbench_of(study).audits.values():
        table = snapshot.tables.get(audit.recipe.fingerprint)
        found.append(
            AuditCoverage(
                recipe=audit.audited.recipe.label,
                compared=len(_cases_of(snapshot, audit.recipe.fingerprint)),
                stored=len(_cases_of(snapshot, audit.audited.recipe.fingerprint)),
                worst=max(table.typed(0).to_pylist(), default=None) if table else None,
            )
        )
    return tuple(found)


def _unaudited(study: Study) -> list[Pair]:
    snapshot = _published(study)
    return [
        (case_id, audit.audited.recipe.fingerprint)
        for audit in workbench_of(study).audits.values()
        for case_id in _cases_of(snapshot, audit.audited.recipe.fingerprint)
        - _cases_of(snapshot, audit.recipe.fingerprint)
    ]


def _cases_of(snapshot: Snapshot, fingerprint: str) -> set[str]:
    table = snapshot.tables.get(fingerprint)
    return set(table.case_ids) if table else set()


def _published(study: Study) -> Snapshot:
    """Return what readers see of the study's cases; nothing before the first build."""
    try:
        snapshot = read_snapshot(study.store_folder)
    except NothingPublishedError:
        return Snapshot(tables={})
    return in_view(read_cohort(study), snapshot)
