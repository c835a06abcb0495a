"""What an ablation works on: features, folds and rungs, read once and questioned."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.networks import complete_repeats, networks_by_name, shared_folds
from hnmets.datasets.split import Split
from hnmets.datasets.suspicion import Suspicion, suspicions
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.extractors.trained_embedding import KIND
from hnmets.reporting.published import PAPER, Published
from hnmets.sources.outcomes import OutcomeRule
from hnmets.workflows.altered_rows import Altered, altered_in_view
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.ladder import BASELINE, Choice, Rung, rungs_of
from hnmets.workflows.store_view import in_view, recipes_in_view
from hnmets.workflows.study import Study
from hnmets.workflows.study_split import study_split

_log = logging.getLogger(__name__)
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
    everything, cohort = read_snapshot(study.store_folder), read_cohort(study)
    stored = in_view(cohort, everything)
    snapshot = stored.among(stored.case_ids, recipes_in_view(study, stored))
    split = study_split(study, cohort, snapshot)
    networks = _complete(networks_by_name(snapshot.recipes, split), split)
    rungs = rungs_of(_features(snapshot, networks), wanted)
    names = dict.fromkeys(name for rung in rungs for name in rung.recipes)
    view = FeatureView(name=choice.name, recipes=tuple(names), policy=study.evaluation.policy)
    dataset = assemble(snapshot, view, by_fold=shared_folds(networks, names, split))
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


def _features(snapshot: Snapshot, networks: Mapping[str, Mapping[str, Recipe]]) -> list[Recipe]:
    """Return one recipe per feature set; of a network that of its first fold."""
    others = {"cohort", "outcome", "audit", KIND}
    plain = [recipe for recipe in snapshot.recipes if recipe.kind not in others]
    return [*plain, *(next(iter(of_folds.values())) for of_folds in networks.values())]


def _complete(
    networks: Mapping[str, Mapping[str, Recipe]], split: Split
) -> dict[str, dict[str, Recipe]]:
    """Return the networks that a whole repeat has, and say which others there are."""
    for name, of_folds in networks.items():
        if not complete_repeats(of_folds, split):
            _log.warning(
                "%s is left out: it was trained in %s alone; train the other folds of a repeat",
                name,
                ", ".join(of_folds),
            )
    return {n: dict(of) for n, of in networks.items() if complete_repeats(of, split)}


def _family(study: Study, rungs: Sequence[Rung]) -> list[str]:
    """Return the announced comparisons that the store's features allow."""
    names = {rung.name for rung in rungs}
    if BASELINE not in names:
        return []
    return [name for name in study.evaluation.family if name in names - {BASELINE}]
