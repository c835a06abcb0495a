"""Curves as plain points: what a figure draws and JSON keeps."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError
from hnmets.evaluation.calibration_curve import CalibrationCurve
from hnmets.evaluation.net_benefit import DecisionCurve
from hnmets.evaluation.predictions import Predictions
from hnmets.evaluation.roc import RocCurve

_BINS = 20
# Beyond what a screen or a printer can tell apart, digits only fill the file.
_DECIMALS = 5

Points = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class RocPoints:
    """Points of a ROC curve."""

    false_positive_rate: Points
    sensitivity: Points

    def __post_init__(self) -> None:
        _of_one_length(self.false_positive_rate, self.sensitivity)

    @classmethod
    def of(cls, curve: RocCurve) -> Self:
        """Take the points of a computed curve."""
        return cls(
            false_positive_rate=_plain(curve.false_positive_rate),
            sensitivity=_plain(curve.sensitivity),
        )


@dataclass(frozen=True, kw_only=True)
class CalibrationPoints:
    """Points of a flexible calibration curve with its band."""

    risk: Points
    observed: Points
    low: Points
    high: Points

    def __post_init__(self) -> None:
        _of_one_length(self.risk, self.observed, self.low, self.high)

    @classmethod
    def of(cls, curve: CalibrationCurve) -> Self:
        """Take the points of a computed curve."""
        return cls(
            risk=_plain(curve.risk),
            observed=_plain(curve.observed),
            low=_plain(curve.low),
            high=_plain(curve.high),
        )


@dataclass(frozen=True, kw_only=True)
class DecisionPoints:
    """Points of a decision curve with its band; acting on nobody is 0 everywhere."""

    threshold: Points
    net_benefit: Points
    low: Points
    high: Points
    treat_all: Points

    def __post_init__(self) -> None:
        _of_one_length(self.threshold, self.net_benefit, self.low, self.high, self.treat_all)

    @classmethod
    def of(cls, curve: DecisionCurve) -> Self:
        """Take the points of a computed curve."""
        return cls(
            threshold=_plain(curve.threshold),
            net_benefit=_plain(curve.net_benefit),
            low=_plain(curve.low),
            high=_plain(curve.high),
            treat_all=_plain(curve.treat_all),
        )


@dataclass(frozen=True, kw_only=True)
class RiskHistogram:
    """Patients by predicted risk; with several repeats the mean count.

    Parameters
    ----------
    edges
        One more than there are bins, from 0 to 1.
    with_event, without_event
        Patients in each bin.
    """

    edges: Points
    with_event: Points
    without_event: Points

    def __post_init__(self) -> None:
        _of_one_length(self.edges[1:], self.with_event, self.without_event)

    @classmethod
    def of(cls, predictions: Predictions) -> Self:
        """Count the patients whose outcome is known.

        Raises
        ------
        InvalidDataError
            If the risks are no probabilities.
        """
        predictions.require_probabilities()
        edges = np.linspace(0, 1, _BINS + 1)
        known = predictions.weights > 0

        def counted(chosen: NDArray[np.bool_]) -> Points:
            counts, _ = np.histogram(predictions.repeats[:, chosen], bins=edges)
            return _plain(counts / len(predictions.repeats))

        return cls(
            edges=_plain(edges),
            with_event=counted(known & predictions.outcome),
            without_event=counted(known & ~predictions.outcome),
        )


def _plain(values: NDArray[np.float64]) -> Points:
    # Adding zero turns -0.0 into 0.0.
    return tuple((np.round(values, _DECIMALS) + 0.0).tolist())


def _of_one_length(*columns: Points) -> None:
    if len({len(column) for column in columns}) > 1:
        raise InvalidDataError(f"a curve with columns of {[len(column) for column in columns]}")
