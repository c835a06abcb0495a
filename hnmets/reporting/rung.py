"""One rung of the ladder: what a model saw, how well it did, and better than what."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from hnmets.evaluation.calibration import Calibration
from hnmets.evaluation.estimate import Measured, NotEstimable
from hnmets.evaluation.family import Verdict
from hnmets.evaluation.operating_point import OperatingPoint
from hnmets.reporting.curves import CalibrationPoints, DecisionPoints, RiskHistogram, RocPoints


class Stage(StrEnum):
    """Where a rung stands; the first six are the ladder that every report has."""

    SIZE = "size only"
    CLINICAL = "clinical only"
    CLINICAL_SIZE = "clinical + size"
    RADIOMICS = "radiomics"
    DEEP = "deep"
    FUSION = "fusion"
    ABLATION = "ablation"


LADDER = (
    Stage.SIZE,
    Stage.CLINICAL,
    Stage.CLINICAL_SIZE,
    Stage.RADIOMICS,
    Stage.DEEP,
    Stage.FUSION,
)


@dataclass(frozen=True, kw_only=True)
class CalibrationNumbers:
    """Calibration of a rung; see `hnmets.evaluation.calibration`.

    Parameters
    ----------
    ici, e50, e90
        Distances of predicted and observed risk; None where the curve is not estimable.
    curve
        The flexible curve, or why there is none.
    """

    intercept: Measured
    slope: Measured
    observed_expected: Measured
    brier: Measured
    scaled_brier: Measured
    ici: float | None
    e50: float | None
    e90: float | None
    curve: CalibrationPoints | NotEstimable

    @classmethod
    def of(cls, found: Calibration) -> Self:
        """Take the numbers of a computed calibration."""
        curve = None if isinstance(found.curve, NotEstimable) else found.curve
        return cls(
            intercept=found.intercept,
            slope=found.slope,
            observed_expected=found.observed_expected,
            brier=found.brier,
            scaled_brier=found.scaled_brier,
            ici=None if curve is None else curve.ici,
            e50=None if curve is None else curve.e50,
            e90=None if curve is None else curve.e90,
            curve=found.curve
            if isinstance(found.curve, NotEstimable)
            else CalibrationPoints.of(found.curve),
        )


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """AUC of a rung minus that of another on the same patients.

    Parameters
    ----------
    against
        Name of the other rung.
    delta
        Difference of the pooled AUCs with its paired patient bootstrap.
    fold_delta
        Mean difference over the folds with the corrected interval, which has the training
        patients' chance in it; None where it was not computed.
    verdict
        DeLong's p value, Holm's adjustment, and whether the comparison was announced.
    """

    against: str
    delta: Measured
    fold_delta: Measured | None = None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A model on a view of the data.

    Parameters
    ----------
    name
        Unique in the report.
    split_hash
        Of the split on which it was scored; rungs of different splits are not comparable.
    contains
        Feature sets and modalities.
    n_features
        Columns that went in.
    n_selected
        Columns left after the selection, median over the folds; None without a selection.
    auc
        Pooled out of fold: the headline.
    fold_mean
        Mean of the folds' AUCs: what most papers print.
    one_class_folds
        Folds without an AUC.
    thresholds
        Operating thresholds, one per fold, from training patients.
    operating
        What those thresholds do.
    versus_baseline, versus_previous
        Against clinical + size, and against the rung before; None for those themselves.
    oracle_auc
        What a model could reach that knows the truth of a synthetic cohort.
    """

    name: str
    stage: Stage
    model: str
    contains: tuple[str, ...]
    split_hash: str
    n_features: int
    n_selected: float | None = None
    n: int
    events: int
    auc: Measured
    fold_mean: Measured
    one_class_folds: int = 0
    average_precision: Measured
    prevalence: float
    thresholds: tuple[float, ...] = ()
    operating: OperatingPoint | NotEstimable
    calibration: CalibrationNumbers | NotEstimable
    roc: RocPoints | NotEstimable
    decision: DecisionPoints | NotEstimable
    histogram: RiskHistogram | NotEstimable
    versus_baseline: Contrast | None = None
    versus_previous: Contrast | None = None
    oracle_auc: float | None = None

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The comparisons that were made; once where the rung before is clinical + size."""
        baseline, previous = self.versus_baseline, self.versus_previous
        if baseline and previous and baseline.against == previous.against:
            return (baseline,)
        return tuple(contrast for contrast in (baseline, previous) if contrast is not None)


@dataclass(frozen=True, kw_only=True)
class AbsentRung:
    """A rung of the ladder that could not be run: shown as such, never left away."""

    stage: Stage
    reason: str
