"""What an ablation works on: features, folds and rungs, read once and questioned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.split import Split
from hnmets.datasets.split_file import frozen_split
from hnmets.datasets.subjects import subjects_of
from hnmets.datasets.suspicion import Suspicion, suspicions
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.reporting.published import PAPER, Published
from hnmets.sources.outcomes import OutcomeRule
from hnmets.workflows.altered_rows import Altered, altered_in_view
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.ladder import BASELINE, Choice, Rung, rungs_of
from hnmets.workflows.store_view import in_view, recipes_in_view
from hnmets.workflows.study import Study

# With these a number would be a mistake and not a finding.
_STOPPING = ("D_OUTCOME_COPY", "D_OUTCOME_DIFFERS")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that an ablation works on.

    Parameters
    ----------
    family
        Rungs whose comparison was announced, among those that the store allows.
    altered
        Controls and perturbations that the store holds of the study's recipes.
    """

    study: Study
    outcome: OutcomeRule
    cohort: Cohort
    dataset: Dataset
    split: Split
    rungs: tuple[Rung, ...]
    suspicions: tuple[Suspicion, ...]
    published: Published | None
    family: tuple[str, ...]
    altered: tuple[Altered, ...]


def prepare(study: Study, choice: Choice) -> Plan:
    """Read the features, freeze the folds, and question what is too good to be true.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, the store no features, or a feature is the outcome.
    UsageError
        If there is no rung of a name.
    """
    if study.outcome is None:
        raise InvalidDataError(f"study '{study.about.name}' has no outcome").with_note(
            "Add an [outcome] section to the study file."
        )
    wanted = replace(choice, views=(*study.evaluation.views, *choice.views))
    stored = in_view(study, read_snapshot(study.store_folder))
    snapshot = stored.among(stored.case_ids, recipes_in_view(study, stored))
    rungs = rungs_of(_features(snapshot), wanted)
    names = dict.fromkeys(name for rung in rungs for name in rung.recipes)
    view = FeatureView(name=choice.name, recipes=tuple(names), policy=study.evaluation.policy)
    cohort = read_cohort(study)
    dataset = assemble(snapshot, view)
    subjects = subjects_of(snapshot, dates=_dates(study, cohort))
    split = frozen_split(study.store_folder, subjects, study.split)
    found = suspicions(dataset)
    if stopping := [each for each in found if each.code in _STOPPING]:
        raise InvalidDataError(str(stopping[0]))
    return Plan(
        study=study,
        outcome=study.outcome,
        cohort=cohort,
        dataset=dataset,
        split=split,
        rungs=rungs,
        suspicions=found,
        published=PAPER.among([rung.name for rung in rungs]) if choice.preset == "paper" else None,
        family=tuple(_family(study, rungs)),
        altered=altered_in_view(study, stored),
    )


def _features(snapshot: Snapshot) -> list[Recipe]:
    targets = {"cohort", "outcome", "audit"}
    return [recipe for recipe in snapshot.recipes if recipe.kind not in targets]


def _dates(study: Study, cohort: Cohort) -> dict[str, str]:
    """Return the date by which a split goes, of the cases that have one."""
    if study.split.kind != "time":
        return {}
    variable = study.evaluation.date
    rule = study.clinical.get(variable)
    if rule is None or rule.type != "date":
        raise InvalidDataError(
            f"a split by time needs [evaluation] date, not '{variable}'"
        ).with_note("Name a variable of [clinical] of type `date`.")
    dates = {case.case_id: case.clinical[variable] for case in cohort.cases}
    return {case_id: str(date) for case_id, date in dates.items() if date is not None}


def _family(study: Study, rungs: Sequence[Rung]) -> list[str]:
    """Return the announced comparisons that the store's features allow."""
    names = {rung.name for rung in rungs}
    if BASELINE not in names:
        return []
    return [name for name in study.evaluation.family if name in names - {BASELINE}]
