"""The numbers of a rung, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import Calibration, calibration
from hnmets.evaluation.comparison import Comparison, compare
from hnmets.evaluation.discrimination import Discrimination, discrimination
from hnmets.evaluation.estimate import Measured
from hnmets.evaluation.family import Verdict, judge
from hnmets.evaluation.fold_mean import FoldMean, fold_mean_auc, fold_mean_difference
from hnmets.evaluation.operating_point import OperatingPoint, operating_point
from hnmets.reporting.timed import TimedRung
from hnmets.workflows.cross_validation import OutOfFold
from hnmets.workflows.ladder import BASELINE


@dataclass(frozen=True, kw_only=True)
class RungContrast:
    """A rung against another one on the same patients.

    Parameters
    ----------
    over_folds
        Mean difference over the folds; None where there are too few for a mean.
    verdict
        The comparison after Holm's correction.
    """

    against: str
    comparison: Comparison
    over_folds: Measured | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class RungScores:
    """What a rung is worth.

    Parameters
    ----------
    fold_mean
        None where there are too few folds for a mean.
    against_baseline
        Against clinical + size; None for the baseline itself, and where the ladder has none.
    against_previous
        Against the rung before; None for the first one. Never announced, so it only explores.
    timed
        The rung by a horizon; None where there are no times.
    """

    out_of_fold: OutOfFold
    discrimination: Discrimination
    fold_mean: FoldMean | None
    operating_point: OperatingPoint
    calibration: Calibration
    against_baseline: RungContrast | None = None
    against_previous: RungContrast | None = None
    timed: TimedRung | None = None

    @property
    def measures(self) -> dict[str, Measured]:
        """The numbers that runs are compared by, headline first."""
        point, fit = self.operating_point, self.calibration
        found: dict[str, Measured] = {
            "auc": self.discrimination.auc,
            "average_precision": self.discrimination.average_precision,
            "balanced_accuracy": point.balanced_accuracy,
            "accuracy": point.accuracy,
            "sensitivity": point.sensitivity,
            "specificity": point.specificity,
            "ppv": point.ppv,
            "npv": point.npv,
            "brier": fit.brier,
            "calibration_slope": fit.slope,
            "calibration_intercept": fit.intercept,
        }
        if self.fold_mean is not None:
            found["fold_mean_auc"] = self.fold_mean.mean
        if self.against_baseline is not None:
            found["delta_auc"] = self.against_baseline.comparison.bootstrap
        if self.timed is not None:
            found |= {
                "uno_c": self.timed.concordance,
                "auc_by_horizon": self.timed.auc,
                "brier_by_horizon": self.timed.brier,
            }
        return found


def scores_of(
    rungs: Sequence[OutOfFold],
    *,
    family: Sequence[str],
    bootstrap: Bootstrap,
    timed: Sequence[TimedRung] = (),
) -> tuple[RungScores, ...]:
    """Measure all rungs, and compare them with clinical + size.

    Parameters
    ----------
    family
        Rungs whose comparison was announced before the data were looked at.
    timed
        The rungs by a horizon; none where there are no times.

    Raises
    ------
    InvalidDataError
        If an announced rung is not on the ladder.
    """
    baseline = next((each for each in rungs if each.rung.name == BASELINE), None)
    against_baseline = [
        (each, baseline) for each in rungs if baseline is not None and each is not baseline
    ]
    to_baseline = _contrasts(against_baseline, family=family, bootstrap=bootstrap)
    by_horizon = {each.rung: each for each in timed}
    to_previous = _contrasts(
        [(later, before) for before, later in pairwise(rungs)], family=(), bootstrap=bootstrap
    )
    return tuple(
        RungScores(
            out_of_fold=each,
            discrimination=discrimination(each.predictions, bootstrap),
            fold_mean=_fold_mean(each),
            operating_point=operating_point(each.predictions, each.thresholds),
            calibration=calibration(each.predictions, bootstrap),
            against_baseline=to_baseline.get(each.rung.name),
            against_previous=to_previous.get(each.rung.name),
            timed=by_horizon.get(each.rung.name),
        )
        for each in rungs
    )


def _contrasts(
    pairs: Sequence[tuple[OutOfFold, OutOfFold]], *, family: Sequence[str], bootstrap: Bootstrap
) -> dict[str, RungContrast]:
    """Compare the first of each pair with the second; return the results by the first's name."""
    compared = {
        first.rung.name: (first, second, compare(first.predictions, second.predictions, bootstrap))
        for first, second in pairs
    }
    p_values = {name: found.delong.p_value for name, (_, _, found) in compared.items()}
    verdicts = {verdict.name: verdict for verdict in judge(p_values, family)}
    return {
        name: RungContrast(
            against=second.rung.name,
            comparison=found,
            over_folds=_over_folds(first, second),
            verdict=verdicts[name],
        )
        for name, (first, second, found) in compared.items()
    }


def _over_folds(first: OutOfFold, second: OutOfFold) -> Measured | None:
    if first.n_fits < 2:
        return None
    return fold_mean_difference(first.predictions, second.predictions, first.folds)


def _fold_mean(each: OutOfFold) -> FoldMean | None:
    if each.n_fits < 2:
        return None
    return fold_mean_auc(each.predictions, each.folds)
