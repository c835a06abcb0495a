"""`features export`: one row per case, one column per feature, in a file named by its content."""

from datetime import datetime
from pathlib import Path

from feature_store.export import Format, export
from feature_store.snapshot import Snapshot, read_snapshot
from feature_store.store import FeatureStore
from hnmets.registry.networks import told_name
from hnmets.workflows.cohort_table import read_cohort
from hnmets.workflows.store_view import cases_in_view, in_view, recipes_in_view
from hnmets.workflows.study import Study


def run(
    study: Study,
    labels: tuple[str, ...],
    out: Path,
    form: Format,
    *,
    as_of: datetime | None = None,
) -> Path:
    """Export recipes of the published generation, or of the store as it was.

    Only cases of the cohort leave the store: no patient who left the study, and no image that
    two patients share. Columns are called as a registered model calls them, so that
    `hnmets predict --table` takes the file.

    Parameters
    ----------
    labels
        Names or labels of recipes; empty for the study's present ones and imported ones.
    as_of
        The past is asked of the database itself, which a running build keeps locked.

    Raises
    ------
    StoreError
        If a recipe is unknown or ambiguous, or the store is locked.
    """
    now, cohort = read_snapshot(study.store_folder), read_cohort(study)
    cases = cases_in_view(cohort, now)

    def write(snapshot: Snapshot) -> Path:
        recipes = None if labels else recipes_in_view(study, snapshot)
        seen = snapshot.among(cases, recipes)
        wanted = labels or tuple(recipe.label for recipe in seen.recipes)
        return export(seen, wanted, out, form, told=told_name)

    if as_of is None:
        return write(in_view(cohort, now))
    with FeatureStore.open(study.store_folder) as store:
        return write(store.as_of(as_of))
