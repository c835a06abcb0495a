"""AUC inside each fold and its mean: the number most papers print."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.discrimination import auc_of
from hnmets.evaluation.estimate import Estimate, Measured
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.resampled_cv import corrected_interval


@dataclass(frozen=True, kw_only=True)
class FoldAuc:
    """One fold of one repeat; `auc` is None where the fold has only one class."""

    repeat: int
    fold: int
    auc: float | None
    n: int
    events: int


@dataclass(frozen=True, kw_only=True)
class FoldMean:
    """Mean over the folds that have an AUC, and how many have none."""

    mean: Measured
    folds: tuple[FoldAuc, ...]
    n_one_class: int


def fold_aucs(predictions: Predictions, fold: NDArray[np.int64]) -> tuple[FoldAuc, ...]:
    """AUC of each fold of each repeat, in their order.

    Parameters
    ----------
    fold
        Number of the fold in which a patient was scored, shape of `predictions.risk`.

    Raises
    ------
    InvalidDataError
        If the shapes differ.
    """
    if fold.shape != predictions.risk.shape:
        raise InvalidDataError(f"folds {fold.shape} for risks {predictions.risk.shape}")
    return tuple(
        _one(predictions, repeat, number, of_repeat == number)
        for repeat, of_repeat in enumerate(np.atleast_2d(fold))
        for number in np.unique(of_repeat)
    )


def fold_mean_auc(
    predictions: Predictions, fold: NDArray[np.int64], *, level: float = 0.95
) -> FoldMean:
    """Mean of the folds' AUCs with the interval for overlapping training sets.

    The interval is symmetric; what lies outside of 0 to 1 is cut off.

    Parameters
    ----------
    fold
        As in `fold_aucs`.
    """
    folds = fold_aucs(predictions, fold)
    values = [one.auc for one in folds if one.auc is not None]
    n_folds = len(np.unique(fold))
    if n_folds < 2:
        raise InvalidDataError("one fold is no cross-validation")
    mean = corrected_interval(
        values,
        test_share=1 / n_folds,
        n=predictions.n,
        events=predictions.events,
        level=level,
    )
    return FoldMean(
        mean=_within(mean, 0.0, 1.0), folds=folds, n_one_class=len(folds) - len(values)
    )


def fold_mean_difference(
    first: Predictions, second: Predictions, fold: NDArray[np.int64], *, level: float = 0.95
) -> Measured:
    """Mean over the folds of the first model's AUC minus the second's, with the same interval.

    Parameters
    ----------
    first, second
        Of the same patients.
    fold
        As in `fold_aucs`.
    """
    pairs = zip(fold_aucs(first, fold), fold_aucs(second, fold), strict=True)
    differences = [a.auc - b.auc for a, b in pairs if a.auc is not None and b.auc is not None]
    difference = corrected_interval(
        differences,
        test_share=1 / len(np.unique(fold)),
        n=first.n,
        events=first.events,
        level=level,
    )
    return _within(difference, -1.0, 1.0)


def _within(measured: Measured, lowest: float, highest: float) -> Measured:
    """Cut an interval off where no value can lie."""
    if not isinstance(measured, Estimate):
        return measured
    return replace(measured, low=max(measured.low, lowest), high=min(measured.high, highest))


def _one(predictions: Predictions, repeat: int, number: int, inside: NDArray[np.bool_]) -> FoldAuc:
    part = Predictions(
        patient_ids=predictions.patient_ids,
        outcome=predictions.outcome,
        risk=predictions.repeats[repeat],
        weight=predictions.weight,
    ).of(inside)
    return FoldAuc(repeat=repeat, fold=int(number), auc=auc_of(part), n=part.n, events=part.events)
