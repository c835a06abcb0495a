"""The models of an evaluated rung, fitted again: they were measured and not kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from hnmets.datasets.fold import Fold
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.rows import ChoosingRows
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.extractors.trained_embedding import KIND as TRAINED
from hnmets.models.candidate import FittedCandidate
from hnmets.workflows.ablation_plan import Plan, prepare
from hnmets.workflows.cross_validation import seeded, threshold_of
from hnmets.workflows.kept_risks import KeptRisks
from hnmets.workflows.ladder import Rung
from hnmets.workflows.on_case import OnCase
from hnmets.workflows.procedure import Procedure
from hnmets.workflows.study import Study


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedMember:
    """One model.

    Parameters
    ----------
    fold
        Whose held-out part the model is not told of; of a refit it was stopped and calibrated
        by that part.
    """

    fold: Fold
    fitted: FittedCandidate
    threshold: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """An evaluated rung with what it was evaluated on."""

    plan: Plan
    rung: Rung
    kept: KeptRisks


def evaluated(study: Study, kept: KeptRisks, name: str) -> Evaluated:
    """Read what a rung was evaluated on; it has to be what it was.

    Raises
    ------
    UsageError
        If the run has no rung of this name.
    InvalidDataError
        If features or folds are not those of the run.
    """
    kept.rung(name)
    plan = prepare(study, kept.choice)
    met = {"split": plan.split.hash, "features": plan.dataset.digest}
    was = {"split": kept.split_hash, "features": kept.dataset_digest}
    if changed := [what for what in met if met[what] != was[what]]:
        raise InvalidDataError(
            f"{' and '.join(changed)} are no longer those of run {kept.run[:8]}"
        ).with_note("Evaluate anew, and register that run.")
    rung = next(each for each in plan.rungs if each.name == name)
    return Evaluated(plan=plan, rung=rung, kept=kept)


def members(of: Evaluated, *, on_fold: OnCase) -> tuple[FittedMember, ...]:
    """Fit the rung in every fold, as it was fitted when it was evaluated."""
    rungs = _fitted_together(of)
    place = rungs.index(of.rung)
    found: list[FittedMember] = []

    def collect(fold: FoldRows, fitted: Sequence[FittedCandidate]) -> None:
        own = fitted[place]
        threshold = threshold_of(own, fold.fitting(), fold.choosing())
        found.append(FittedMember(fold=fold.fold, fitted=own, threshold=threshold))

    study = of.plan.study
    procedure = Procedure(
        split=of.plan.split,
        selection=study.selection,
        head=study.head,
        seed=study.split.seed,
        bootstrap=Bootstrap(draws=study.evaluation.draws, seed=study.split.seed),
        on_fold=on_fold,
    )
    procedure.scored(of.plan.dataset, rungs, on_fit=collect)
    return tuple(found)


def refits(of: Evaluated, *, on_fold: OnCase) -> tuple[FittedMember, ...]:
    """Fit the rung on everybody: each patient stops and calibrates one model, and teaches others.

    They are the folds of the first repeat with no part kept aside, so that nobody is left by
    whom they could be measured.

    Raises
    ------
    UsageError
        If the rung sees a trained backbone: there is none that has learned from everybody.
    """
    study, kinds = of.plan.study, of.plan.dataset.kinds
    if trained := [name for name in of.rung.recipes if kinds[name] == TRAINED]:
        raise UsageError(
            f"'{of.rung.name}' sees {trained[0]}, a network of every fold and none of all patients"
        ).with_note("Register its members: without --refit.")
    candidate = of.rung.candidate(study.selection, study.head)
    folds = seeded(folds_of(of.plan.dataset, of.plan.split), study.split.seed)
    first = [(fold, seed) for fold, seed in folds if fold.fold.repeat == folds[0][0].fold.repeat]
    found = []
    for number, (fold, seed) in enumerate(first):
        on_fold(f"refit {number + 1}", number, len(first))
        rows, choosing = fold.training, ChoosingRows(**vars(fold.held_out))
        fitted = candidate.fit(rows, choosing, seed=seed)
        threshold = threshold_of(fitted, rows, choosing)
        found.append(FittedMember(fold=fold.fold, fitted=fitted, threshold=threshold))
    on_fold("", len(first), len(first))
    return tuple(found)


def _fitted_together(of: Evaluated) -> list[Rung]:
    """Return the rungs whose models share a stack with this one's; one alone for the others.

    Heads of one stack differ from heads that are trained alone in the last digits.
    """
    if not of.rung.model.startswith("fusion"):
        return [of.rung]
    return [rung for rung in of.plan.rungs if rung.model.startswith("fusion")]
