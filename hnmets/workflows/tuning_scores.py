"""What a search is worth: its winners in the outer folds, which it has never seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.fold_mean import fold_aucs
from hnmets.models.candidate import Candidate
from hnmets.models.fusion import Fusion
from hnmets.tuning.configuration import HeadConfiguration
from hnmets.tuning.records import Record, Records
from hnmets.workflows.cross_validation import OutOfFold, cross_validate, seeded
from hnmets.workflows.ladder import CandidateOf, Rung, as_set
from hnmets.workflows.on_case import OnCase
from hnmets.workflows.oracles import oracles_of
from hnmets.workflows.rung_scores import RungScores, scores_of
from hnmets.workflows.tuning_plan import Search

TUNED = "tuned"


@dataclass(frozen=True, kw_only=True)
class Nested:
    """The winners of the outer folds beside what they have to beat.

    Parameters
    ----------
    scores
        Clinical + size where there is one, the study's own settings, then the tuned ones.
    winners
        Best trial of each outer fold's study, by the fold's name.
    oracles
        By rung, the AUC that the truth of a synthetic cohort allows.
    outer_aucs
        AUC of each winner in its outer fold, by the fold's name, where it can be estimated.
    """

    scores: tuple[RungScores, ...]
    winners: Mapping[str, Record]
    oracles: Mapping[str, float]
    outer_aucs: Mapping[str, float]

    @property
    def tuned(self) -> RungScores:
        """The tuned settings; what was tuned in a fold is scored in that fold."""
        return self.scores[-1]

    @property
    def inner_best(self) -> float:
        """Mean over the outer folds of what their winners had in the inner ones."""
        values = [record.value or 0.0 for record in self.winners.values()]
        return sum(values) / len(values)

    @property
    def gap(self) -> float | None:
        """By how much the inner folds promise more than the outer ones keep; fold means both."""
        mean = self.tuned.fold_mean and self.tuned.fold_mean.mean
        return self.inner_best - mean.value if isinstance(mean, Estimate) else None


def nested(search: Search, records: Records, on_fold: OnCase) -> Nested:
    """Refit the winner of each outer fold on that fold's training part, and score it once.

    Raises
    ------
    InvalidDataError
        If the study of an outer fold has no trial that was trained to its end.
    """
    winners = {fold.name: _winner(records, fold.name) for fold in search.outer}
    rungs = [rung for rung in (search.baseline, search.default) if rung] + [_tuned(search)]
    study = search.study
    folds = folds_of(search.dataset, search.split)
    found = cross_validate(
        folds,
        rungs,
        candidate_of=_candidates(search, records, winners),
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
        outer_aucs=_outer_aucs(found.rungs[-1], folds, study.split.seed),
    )


def _outer_aucs(tuned: OutOfFold, folds: Sequence[FoldRows], seed: int) -> dict[str, float]:
    names = [fold.fold.name for fold, _ in seeded(folds, seed)]
    aucs = fold_aucs(tuned.predictions, tuned.folds)
    return {n: each.auc for n, each in zip(names, aucs, strict=True) if each.auc is not None}


def candidate_of(search: Search, chosen: HeadConfiguration) -> Candidate:
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


def features_of(search: Search, chosen: HeadConfiguration) -> tuple[str, ...]:
    """Return the recipes that a configuration sees."""
    return (*search.always, *chosen.radiomics, *chosen.embedding)


def _winner(records: Records, study: str) -> Record:
    winner = records.best(study)
    if winner is None:
        failed: Sequence[Record] = [r for r in records.of(study) if r.state == "fail"]
        reason = f"; the first failed: {failed[0].reason}" if failed else ""
        raise InvalidDataError(f"no trial of {study} was trained to its end{reason}").with_note(
            "Run the same command again to go on, or plan more trials."
        )
    return winner


def _tuned(search: Search) -> Rung:
    return Rung(
        name=TUNED,
        recipes=tuple(recipe.name for recipe in search.dataset.recipes),
        model="fusion",
    )


def _candidates(search: Search, records: Records, winners: Mapping[str, Record]) -> CandidateOf:
    as_study = as_set(search.study.selection, search.study.head)

    def candidate(rung: Rung, fold: str) -> Candidate:
        if rung.name != TUNED:
            return as_study(rung, fold)
        return candidate_of(search, records.configuration(winners[fold]))

    return candidate
