"""What a study sees of its store: its own cases, not everything that was ever stored."""

from collections import defaultdict
from collections.abc import Collection

from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.domain.errors import Code
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.study import Study
from hnmets.workflows.workbench import workbench_of


def in_view(cohort: Cohort, snapshot: Snapshot) -> Snapshot:
    """Return what may leave the store: rows of the cohort's cases, measured on their files.

    Rows whose file was replaced by one that cannot be measured stay in the history.
    """
    stale: dict[str, set[str]] = defaultdict(set)
    for entry in snapshot.quarantined:
        if entry.code == Code.ROW_STALE:
            stale[entry.stage].add(entry.case_id)
    return snapshot.among(cases_in_view(cohort, snapshot)).without(stale)


def study_snapshot(
    study: Study, cohort: Cohort, *, also: Collection[str] = frozenset()
) -> Snapshot:
    """Return what the study sees of its store: its cases, its present recipes, imported ones.

    Parameters
    ----------
    also
        Fingerprints of recipes that are not the study's own.
    """
    stored = in_view(cohort, read_snapshot(study.store_folder))
    return stored.among(stored.case_ids, recipes_in_view(study, stored).union(also))


def cases_in_view(cohort: Cohort, snapshot: Snapshot) -> frozenset[str]:
    """Return the cases of the cohort, without those whose image another patient has too.

    Rows of a patient who left the study stay in the store's history and leave every output.
    """
    shared = {q.case_id for q in snapshot.quarantined if q.code == Code.IMAGE_DUPLICATE}
    return frozenset(case.case_id for case in cohort.cases) - shared


def recipes_in_view(study: Study, snapshot: Snapshot) -> frozenset[str]:
    """Return the fingerprints of the study's present recipes and of imported ones."""
    present = {recipe.fingerprint for recipe in workbench_of(study).recipes}
    imported = {r.fingerprint for r in snapshot.recipes if r.parameters.get("imported")}
    return frozenset(present | imported)
