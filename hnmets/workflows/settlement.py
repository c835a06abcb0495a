"""What a build says of cases in the end: their problems, and the rows that these make stale."""

from collections.abc import Iterable, Iterator, Mapping

from feature_store.quarantine import Quarantined
from feature_store.recipe import Recipe
from hnmets.domain.case import Case, Failure
from hnmets.domain.errors import Code
from hnmets.workflows.build_plan import BuildPlan
from hnmets.workflows.cohort_table import Cohort
from hnmets.workflows.identity import digest_of_files, files_of
from hnmets.workflows.workbench import Workbench

_OF_TABLES = ("cohort", "clinical", "outcome", "table")


def standing(
    before: Iterable[Quarantined], cohort: Cohort, todo: BuildPlan, bench: Workbench
) -> list[Quarantined]:
    """Return the problems that a build had no reason to look at again."""
    present = {case.case_id for case in cohort.cases}
    tried = {work.case.case_id for work in todo.measured}
    of_tables = {"table", "cohort", *(table.recipe.name for table in bench.tables)}
    steps = {bench.stage(name) for name in ("read", "crop", "task")}
    of_images = steps | {recipe.name for recipe, _ in bench.regions_by_recipe}
    return [
        entry
        for entry in before
        if entry.case_id in present
        and entry.code != Code.ROW_STALE
        and entry.stage not in of_tables
        and not (entry.case_id in tried and entry.stage in of_images)
    ]


def unmeasured(
    before: Iterable[Quarantined], cohort: Cohort, todo: BuildPlan, failures: Iterable[Failure]
) -> list[Case]:
    """Return the cases whose rows may be stale: tried in vain, or stale already."""
    tried = {work.case.case_id for work in todo.measured}
    failed = {failure.case_id for failure in failures} & tried
    doubtful = failed | {entry.case_id for entry in before if entry.code == Code.ROW_STALE}
    return [case for case in cohort.cases if case.case_id in doubtful]


def stale_rows(
    cases: Iterable[Case],
    bench: Workbench,
    *,
    recipes: Iterable[Recipe],
    known: Mapping[tuple[str, str], str],
    digests: Mapping[str, str],
) -> Iterator[Quarantined]:
    """Yield a record for every stored row of the cases that stands on other files than theirs.

    A row whose file was replaced by one that cannot be measured is history, no feature.

    Parameters
    ----------
    cases
        Those that could not be measured; of others the next build replaces the rows.
    bench
        Of the whole study.
    recipes
        Everything that the store has rows of.
    known
        Input digest of the current row by (case, fingerprint).
    digests
        Digest by path of every file whose content is known now.
    """
    measured = [r for r in recipes if r.kind not in _OF_TABLES and not _is_imported(r)]
    for case in cases:
        valid = _present_digests(case, bench, digests)
        for recipe in measured:
            stored = known.get((case.case_id, recipe.fingerprint))
            if stored is not None and stored not in valid:
                yield Quarantined(
                    case_id=case.case_id,
                    code=Code.ROW_STALE,
                    stage=recipe.label,
                    detail="measured before a file of the case changed; not exported",
                )


def _is_imported(recipe: Recipe) -> bool:
    return bool(recipe.parameters.get("imported"))


def _present_digests(case: Case, bench: Workbench, digests: Mapping[str, str]) -> set[str | None]:
    """Return the input digests that rows of a case may have, as its files are now."""
    looked_at = [*((name,) for name in bench.rules), *(r for _, r in bench.regions_by_recipe)]
    # Beside its own region a row of a control hangs on the one that the control replaced.
    with_another = ((*regions, name) for regions in looked_at for name in bench.rules)
    files = (files_of(case, bench.rules, regions) for regions in (*looked_at, *with_another))
    return {digest_of_files(paths, digests) for paths in files}
