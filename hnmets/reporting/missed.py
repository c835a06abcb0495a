"""The patients about whom the model was most wrong, for somebody to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hnmets.evaluation.predictions import Predictions

MissKind = Literal["false negative", "false positive"]


@dataclass(frozen=True, kw_only=True)
class MissedCase:
    """One patient on the wrong side of the threshold.

    Parameters
    ----------
    case_ids
        The study's pseudonyms of the patient's cases.
    risk, threshold
        Predicted out of fold, and where the line was; with several repeats their means.
    flags
        What quality control had noticed about the case.
    """

    case_ids: tuple[str, ...]
    kind: MissKind
    risk: float
    threshold: float
    flags: tuple[str, ...] = ()


def worst_cases(
    predictions: Predictions,
    threshold: float | NDArray[np.float64],
    *,
    cases: Mapping[str, Sequence[str]],
    flags: Mapping[str, Sequence[str]],
    count: int = 5,
) -> tuple[MissedCase, ...]:
    """Return the false negatives and the false positives farthest from the threshold.

    Parameters
    ----------
    threshold
        As for `operating_point`: one number, or of the shape of `predictions.risk`.
    cases
        Case ids by patient id.
    flags
        By case id; a case without any may be absent.
    count
        Of each kind.
    """
    limits = np.broadcast_to(threshold, predictions.risk.shape)
    risk = predictions.repeats.mean(axis=0)
    limit = np.atleast_2d(limits).mean(axis=0)
    beyond = risk - limit
    known = predictions.weights > 0
    low = known & predictions.outcome & (beyond < 0)
    high = known & ~predictions.outcome & (beyond >= 0)
    wrong: tuple[tuple[MissKind, NDArray[np.bool_]], ...] = (
        ("false negative", low),
        ("false positive", high),
    )
    return tuple(
        MissedCase(
            case_ids=(case_ids := tuple(cases[predictions.patient_ids[row]])),
            kind=kind,
            risk=float(risk[row]),
            threshold=float(limit[row]),
            flags=tuple(flag for case_id in case_ids for flag in flags.get(case_id, ())),
        )
        for kind, rows in wrong
        for row in _farthest(beyond, rows)[:count]
    )


def _farthest(beyond: NDArray[np.float64], rows: NDArray[np.bool_]) -> list[int]:
    chosen = np.flatnonzero(rows)
    order = np.argsort(-np.abs(beyond[chosen]), kind="stable")
    return [int(row) for row in chosen[order]]
