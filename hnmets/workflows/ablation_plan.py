"""What an ablation works on: features, folds and rungs, read once and questioned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot, read_snapshot
from hnmets.datasets.assembly import assemble
from hnmets.datasets.dataset import Dataset
from hnmets.datasets.networks import complete_repeats, networks_by_name, shared_folds
from hnmets.datasets.rows import Rows
from hnmets.datasets.split import Split
from hnmets.datasets.suspicion import Suspicion, suspicions
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError
from hnmets.extractors.trained_embedding import KIND
from hnmets.reporting.published import PAPER, Published
from hnmets.selection.scope import in_scope
from hnmets.sources.outcomes import OutcomeRule
from hnmets.workflows.altered_rows import Altered, altered_in_view
from hnmets.workflows.cohort_table import Cohort, read_cohort
from hnmets.workflows.fold_networks import trained_embeddings
from hnmets.workflows.ladder import BASELINE, Choice, Rung, rungs_of
from hnmets.workflows.store_view import in_view, recipes_in_view
from hnmets.workflows.study import Study
from hnmets.workflows.study_split import study_split

# With these a number would be a mistake and not a finding.
_STOPPING = ("D_OUTCOME_COPY", "D_OUTCOME_DIFFERS")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that an ablation works on.

    Parameters
    ----------
    family
        Rungs whose comparison was announced, among those that the store allows.
    possible
        Names of all rungs of the ladder that the store allows, whatever was asked for.
    altered
        Controls and perturbations that the store holds of the study's recipes.
    remarks
        What a reader has to know of rungs that are not there and of trained backbones.
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
    possible: tuple[str, ...]
    altered: tuple[Altered, ...]
    remarks: tuple[str, ...]


def prepare(study: Study, choice: Choice) -> Plan:
    """Read the features, freeze the folds, and question what is too good to be true.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, the store no features, or a feature is the outcome.
    UsageError
        If there is no rung of a name.
    """
    material = material_of(study)
    snapshot, split = material.snapshot, material.split
    wanted = replace(choice, views=(*study.evaluation.views, *choice.views))
    trained = networks_by_name(snapshot.recipes, split)
    networks = {name: of for name, of in trained.items() if complete_repeats(of, split)}
    # Of a network the recipe of its first fold stands for all.
    of_networks = [next(iter(of_folds.values())) for of_folds in networks.values()]
    recipes = [*material.plain, *of_networks]
    rungs = rungs_of(recipes, wanted)
    names = dict.fromkeys(name for rung in rungs for name in rung.recipes)
    view = FeatureView(name=choice.name, recipes=tuple(names), policy=study.evaluation.policy)
    dataset = assemble(snapshot, view, by_fold=shared_folds(networks, names, split))
    found = unsuspicious(dataset)
    rungs, silent = _telling(rungs, dataset.rows)
    return Plan(
        study=study,
        outcome=material.outcome,
        cohort=material.cohort,
        dataset=dataset,
        split=split,
        rungs=rungs,
        suspicions=found,
        published=PAPER.among([rung.name for rung in rungs]) if choice.preset == "paper" else None,
        family=tuple(_family(study, rungs)),
        possible=tuple(rung.name for rung in rungs_of(recipes, Choice())),
        altered=altered_in_view(study, material.stored),
        remarks=(*silent, *_remarks(study, split, trained, dataset)),
    )


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a store holds of a study, and the study's folds.

    Parameters
    ----------
    stored
        Everything of the study's cases.
    snapshot
        The feature sets among it that the study asks for, or that were imported.
    """

    outcome: OutcomeRule
    cohort: Cohort
    stored: Snapshot
    snapshot: Snapshot
    split: Split

    @property
    def plain(self) -> list[Recipe]:
        """One recipe per feature set that has learned from no outcome."""
        others = {"cohort", "outcome", "audit", KIND}
        return [recipe for recipe in self.snapshot.recipes if recipe.kind not in others]


def material_of(study: Study) -> Material:
    """Read what the store holds of a study, and freeze the folds.

    Raises
    ------
    InvalidDataError
        If the study has no outcome, or the store nothing.
    """
    if study.outcome is None:
        raise InvalidDataError(f"study '{study.about.name}' has no outcome").with_note(
            "Add an [outcome] section to the study file."
        )
    everything, cohort = read_snapshot(study.store_folder), read_cohort(study)
    stored = in_view(cohort, everything)
    snapshot = stored.among(stored.case_ids, recipes_in_view(study, stored))
    return Material(
        outcome=study.outcome,
        cohort=cohort,
        stored=stored,
        snapshot=snapshot,
        split=study_split(study, cohort, snapshot),
    )


def unsuspicious(dataset: Dataset) -> tuple[Suspicion, ...]:
    """Return what is too good to be true, and yet no reason to stop.

    Raises
    ------
    InvalidDataError
        If a feature is the outcome.
    """
    found = suspicions(dataset)
    if stopping := [each for each in found if each.code in _STOPPING]:
        raise InvalidDataError(str(stopping[0]))
    return found


def _telling(rungs: Sequence[Rung], rows: Rows) -> tuple[tuple[Rung, ...], list[str]]:
    """Return the rungs that can tell patients apart, and what is said of the others.

    Raises
    ------
    InvalidDataError
        If the last rung, which the report is about, cannot.
    """
    # Nothing equals what is not known: neither a gap nor what only the network of a fold tells.
    alike = (rows.values == rows.values[:1]).all(axis=0)
    telling: list[Rung] = []
    silent: list[str] = []
    for rung in rungs:
        places = in_scope(rows, rung.features)
        if not alike[places].all():
            telling.append(rung)
            continue
        silent.append(
            f"{rung.name} is left out: none of its {len(places)} columns tells the "
            f"{len(rows.values)} cases apart"
        )
    if silent and rungs[-1] not in telling:
        raise InvalidDataError(silent[-1]).with_note("Look at them: `hnmets features show`.")
    return tuple(telling), silent


def _remarks(
    study: Study, split: Split, trained: Mapping[str, Mapping[str, Recipe]], dataset: Dataset
) -> Iterator[str]:
    """Say which trained networks are not on the ladder, and what those on it cost."""
    waiting = {each.recipe.name for each in trained_embeddings(study)} - trained.keys()
    for name in sorted(waiting):
        yield f"{name} is trained, and nobody is embedded by it yet: run `hnmets features build`"
    for name, of_folds in trained.items():
        if not complete_repeats(of_folds, split):
            yield (
                f"{name} is left out: it was trained in {', '.join(of_folds)} alone; train the "
                "other folds of a repeat"
            )
    if study.tuned is not None:
        yield study.tuned.remark(dataset.rows.case_ids)
    repeats = {fold.repeat for fold in split.folds}
    if dataset.fold_models and len(dataset.fold_models) < len(split.folds):
        scored = {fold.repeat for fold in split.folds if fold.name in dataset.fold_models}
        yield (
            f"all rungs are scored in {len(scored)} of {len(repeats)} repeats: those for which "
            "every backbone was trained"
        )


def _family(study: Study, rungs: Sequence[Rung]) -> list[str]:
    """Return the announced comparisons that the store's features allow."""
    names = {rung.name for rung in rungs}
    if BASELINE not in names:
        return []
    return [name for name in study.evaluation.family if name in names - {BASELINE}]
