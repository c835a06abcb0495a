"""What tuned fusion heads are worth in the outer folds, which no search has seen."""

from collections.abc import Mapping
from dataclasses import replace

from hnmets.datasets.fold_rows import folds_of
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.models.candidate import Candidate
from hnmets.models.fusion import Fusion
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.records import Record, Records, trial_of
from hnmets.workflows.cross_validation import cross_validate
from hnmets.workflows.ladder import CandidateOf, Rung, as_set
from hnmets.workflows.nested import TUNED, Nested, outer_aucs, winners_of
from hnmets.workflows.on_case import OnCase
from hnmets.workflows.oracles import oracles_of
from hnmets.workflows.rung_scores import scores_of
from hnmets.workflows.tuning_heads import SearchOfHeads


def nested_heads(search: SearchOfHeads, records: Records, on_fold: OnCase) -> Nested:
    """Refit the winner of each outer fold on that fold's training part, and score it once.

    Raises
    ------
    InvalidDataError
        If the study of an outer fold has no trial that was trained to its end.
    """
    winners = winners_of(search.split, records)
    rungs = [rung for rung in (search.baseline, search.default) if rung] + [_tuned(search)]
    study = search.study
    folds = folds_of(search.dataset, search.split)
    found = cross_validate(
        folds,
        rungs,
        candidate_of=_candidates(search, winners),
        seed=study.split.seed,
        on_fold=on_fold,
    )
    if found.rungs[0].predictions.n == 0:
        name, why = next(iter(found.unscored.items()))
        raise InvalidDataError(f"no patient was scored; {name}: {why}")
    return Nested(
        scores=scores_of(
            found.rungs,
            family=(),
            bootstrap=Bootstrap(draws=study.evaluation.draws, seed=study.split.seed),
        ),
        winners=winners,
        oracles=oracles_of(rungs, search.dataset, study.root),
        outer_aucs=outer_aucs(found.rungs[-1], folds),
    )


def candidate_of(search: SearchOfHeads, chosen: HeadConfiguration) -> Candidate:
    """Return the steps and the head that a configuration means."""
    selection = replace(
        search.study.selection,
        correlation_limit=chosen.correlation_limit,
        top=chosen.top,
        components=chosen.components,
    )
    return Candidate(
        name=TUNED,
        modalities=features_of(search, chosen),
        chain=selection.chain,
        model=Fusion(parameters=chosen.head),
    )


def features_of(search: SearchOfHeads, chosen: HeadConfiguration) -> tuple[str, ...]:
    """Return the recipes that a configuration sees."""
    return (*search.always, *chosen.radiomics, *chosen.embedding)


def _tuned(search: SearchOfHeads) -> Rung:
    return Rung(
        name=TUNED,
        recipes=tuple(recipe.name for recipe in search.dataset.recipes),
        model="fusion",
    )


def _candidates(search: SearchOfHeads, winners: Mapping[str, Record]) -> CandidateOf:
    as_study = as_set(search.study.selection, search.study.head)

    def candidate(rung: Rung, fold: str) -> Candidate:
        if rung.name != TUNED:
            return as_study(rung, fold)
        return candidate_of(search, search.plan.configuration(trial_of(winners[fold])))

    return candidate
