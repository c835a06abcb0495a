"""Fit every rung in every fold, and score the patients that each fold holds out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.fold_rows import FoldRows
from hnmets.datasets.rows import ChoosingRows, HeldOutRows, Rows, TrainRows
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.youden import youden_threshold
from hnmets.models.candidate import CandidateJob, FittedCandidate, fit_all
from hnmets.workflows.ladder import CandidateOf, Rung

Scored = TypeVar("Scored", bound=np.generic)
# A fold, and the rungs that were fitted in it, in the order of the ladder.
OnFit = Callable[[FoldRows, Sequence[FittedCandidate]], None]


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """What a rung said of patients that it had not learned from.

    Parameters
    ----------
    predictions
        Risks, shape (repeats, patients).
    thresholds
        Chosen in the training part of each patient's fold, of the same shape.
    folds
        Number, within its repeat, of the fold in which a patient was scored; of the same shape.
    chosen
        Columns that the model was given, fold by fold; none where a network sees the image.
    n_fits
        Folds in which the rung was fitted.
    """

    rung: Rung
    predictions: Predictions
    thresholds: NDArray[np.float64]
    folds: NDArray[np.int64]
    chosen: tuple[tuple[str, ...], ...]
    n_fits: int


@dataclass(frozen=True, kw_only=True)
class CrossValidated:
    """All rungs on the same patients.

    Parameters
    ----------
    unscored
        Why a fold gave nothing, by its name.
    """

    rungs: tuple[OutOfFold, ...]
    unscored: Mapping[str, str]


@dataclass(kw_only=True)
class Tally:
    """Scores of one rung as they come in, by repeat and patient."""

    risk: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    threshold: dict[tuple[int, str], float] = field(default_factory=dict)
    fold: dict[tuple[int, str], int] = field(default_factory=dict)
    chosen: list[tuple[str, ...]] = field(default_factory=list)
    n_fits: int = 0

    def score(
        self,
        rows: HeldOutRows,
        risk: NDArray[np.float64],
        threshold: float,
        place: tuple[int, int],
    ) -> None:
        """Take the risks of a fold's held-out rows; a patient's cases are averaged in the end.

        Parameters
        ----------
        place
            Repeat, and number of the fold within it.
        """
        repeat, fold = place
        for patient, value in zip(rows.patient_ids, risk.tolist(), strict=True):
            self.risk.setdefault((repeat, patient), []).append(value)
            self.threshold[repeat, patient] = threshold
            self.fold[repeat, patient] = fold
        self.n_fits += 1


def nothing_more(_fold: FoldRows, _fitted: Sequence[FittedCandidate]) -> None:
    """Ask fitted rungs nothing beside their scores."""


def cross_validate(  # noqa: PLR0913 - settings, and who is told; all named
    folds: Sequence[FoldRows],
    rungs: Sequence[Rung],
    *,
    candidate_of: CandidateOf,
    seed: int,
    on_fold: Callable[[str, int, int], None],
    on_fit: OnFit = nothing_more,
) -> CrossValidated:
    """Fit all rungs in all folds.

    A fold whose training part cannot teach is left out for all rungs alike. A patient's cases
    are scored apart and their risks averaged.

    Parameters
    ----------
    folds
        Of one dataset and one split.
    candidate_of
        How a rung is fitted in a fold.
    seed
        Of the first fold; each has its own.
    on_fold
        Called with a fold's name, how many are done, and how many there are.
    on_fit
        Called when all rungs are fitted in a fold: what they learned is not kept.
    """
    usable = seeded(folds, seed)
    tallies = [Tally() for _ in rungs]
    of_repeat: Counter[int] = Counter()
    for number, (fold, own_seed) in enumerate(usable):
        on_fold(fold.fold.name, number, len(usable))
        repeat = fold.fold.repeat
        fitted, thresholds = _fit(fold, rungs, candidate_of, seed=own_seed)
        for tally, each, threshold in zip(tallies, fitted, thresholds, strict=True):
            rows = fold.held_out
            tally.score(rows, each.risk(rows), threshold, (repeat, of_repeat[repeat]))
            tally.chosen.append(each.chain.columns)
        on_fit(fold, fitted)
        of_repeat[repeat] += 1
    on_fold("", len(usable), len(usable))
    return CrossValidated(
        rungs=out_of_fold(rungs, tallies, folds[0].dataset.rows),
        unscored={f.fold.name: f.why_not_estimable for f in folds if f.why_not_estimable},
    )


def seeded(folds: Sequence[FoldRows], seed: int) -> list[tuple[FoldRows, int]]:
    """Return the folds that can teach, each with the seed of its models.

    Parameters
    ----------
    seed
        Of the first one.
    """
    usable = (fold for fold in folds if not fold.why_untrainable)
    return [(fold, seed + number) for number, fold in enumerate(usable)]


def _fit(
    fold: FoldRows, rungs: Sequence[Rung], candidate_of: CandidateOf, *, seed: int
) -> tuple[list[FittedCandidate], list[float]]:
    """Fit all rungs on the same rows, and choose their thresholds on the inner part."""
    rows, choosing = fold.fitting(), fold.choosing()
    jobs = [
        CandidateJob(
            candidate=candidate_of(rung, fold.fold.name),
            rows=rows,
            choosing=choosing,
            seed=seed,
        )
        for rung in rungs
    ]
    fitted = fit_all(jobs)
    return fitted, [threshold_of(each, rows, choosing) for each in fitted]


def threshold_of(fitted: FittedCandidate, rows: TrainRows, choosing: ChoosingRows) -> float:
    """Return the operating threshold, chosen by the choosing rows.

    An inner part of one class cannot tell; then the rows that were learned from do.
    """
    judged: Rows = choosing if len(set(choosing.outcome.tolist())) == 2 else rows
    return youden_threshold(judged.outcome, fitted.risk(judged))


def out_of_fold(
    rungs: Sequence[Rung], tallies: Sequence[Tally], rows: Rows
) -> tuple[OutOfFold, ...]:
    """Return what the rungs said, each of the same patients: those scored in every repeat.

    Parameters
    ----------
    rows
        Of everybody: a patient has the event if any case has.
    """
    everybody = _scored_in_every_repeat(tallies)
    pairs = zip(rungs, tallies, strict=True)
    return tuple(_out_of_fold(rung, tally, everybody, rows) for rung, tally in pairs)


def _scored_in_every_repeat(tallies: Sequence[Tally]) -> list[tuple[int, list[str]]]:
    """Return each repeat with the patients that all repeats have scored, sorted."""
    patients: dict[int, set[str]] = {}
    for repeat, patient in tallies[0].risk:
        patients.setdefault(repeat, set()).add(patient)
    common = sorted(set.intersection(*patients.values())) if patients else []
    return [(repeat, common) for repeat in sorted(patients)]


def _out_of_fold(
    rung: Rung, tally: Tally, everybody: list[tuple[int, list[str]]], rows: Rows
) -> OutOfFold:
    event: dict[str, bool] = {}
    for patient, seen in zip(rows.patient_ids, rows.outcome.tolist(), strict=True):
        event[patient] = event.get(patient, False) or seen
    patients = everybody[0][1] if everybody else []
    keys = [[(repeat, patient) for patient in patients] for repeat, patients in everybody]
    return OutOfFold(
        rung=rung,
        predictions=Predictions(
            patient_ids=tuple(patients),
            outcome=np.array([event[patient] for patient in patients], dtype=np.bool_),
            risk=np.array([[float(np.mean(tally.risk[key])) for key in line] for line in keys]),
        ),
        thresholds=np.array([[tally.threshold[key] for key in line] for line in keys]),
        folds=np.array([[tally.fold[key] for key in line] for line in keys]),
        chosen=tuple(tally.chosen),
        n_fits=tally.n_fits,
    )
