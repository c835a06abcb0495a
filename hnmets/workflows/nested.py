"""What a search is worth: its winners in the outer folds, which it has never seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hnmets.datasets.fold_rows import FoldRows
from hnmets.datasets.split import Split
from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.estimate import Estimate
from hnmets.evaluation.fold_mean import fold_aucs
from hnmets.tuning.records import Record, Records
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.rung_scores import RungScores

TUNED = "tuned"


@dataclass(frozen=True, kw_only=True)
class Nested:
    """The winners of the outer folds beside what they have to beat.

    Parameters
    ----------
    scores
        What stands before, the study's own settings, then the tuned ones.
    winners
        Winner of each outer fold's study, by the fold's name.
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


def winners_of(split: Split, records: Records) -> dict[str, Record]:
    """Return the winner of each outer fold's study, by the fold's name.

    Raises
    ------
    InvalidDataError
        If one has no trial that was trained to its end.
    """
    return {fold.name: winner_of(records, fold.name) for fold in split.folds}


def winner_of(records: Records, study: str) -> Record:
    """Return the winner of a study: its best trial, or the study's own settings.

    Raises
    ------
    InvalidDataError
        If it has none that was trained to its end.
    """
    winner = records.winner(study)
    if winner is None:
        failed: Sequence[Record] = [r for r in records.of(study) if r.state == "fail"]
        reason = f"; the first failed: {failed[0].reason}" if failed else ""
        raise InvalidDataError(f"no trial of {study} was trained to its end{reason}").with_note(
            "Run the same command again to go on, or plan more trials."
        )
    return winner


def outer_aucs(tuned: OutOfFold, folds: Sequence[FoldRows]) -> dict[str, float]:
    """Return the AUC of each outer fold that can teach, by its name, where it can be estimated."""
    names = [fold.fold.name for fold in folds if not fold.why_untrainable]
    aucs = fold_aucs(tuned.predictions, tuned.folds)
    return {n: each.auc for n, each in zip(names, aucs, strict=True) if each.auc is not None}
