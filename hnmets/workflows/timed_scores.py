"""The numbers that say "by when": censored and dead patients counted as what they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.dataset import Dataset
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.evaluation.calibration import calibration
from hnmets.evaluation.concordance import uno_concordance
from hnmets.evaluation.cumulative_incidence import cumulative_incidence
from hnmets.evaluation.discrimination import pooled_auc
from hnmets.evaluation.follow_up import FollowUp, Status
from hnmets.evaluation.horizon import AtHorizon, at_horizon
from hnmets.reporting.timed import Timed, TimedRung
from hnmets.workflows.cross_validation import OutOfFold


def timed_scores(
    dataset: Dataset, rungs: Sequence[OutOfFold], *, by_days: float, bootstrap: Bootstrap
) -> Timed | str:
    """Measure all rungs by a day, or tell why that cannot be done.

    The censoring is estimated on all patients who were scored: it holds nothing that a model
    has learned.

    Parameters
    ----------
    by_days
        From diagnosis.
    """
    patients = rungs[0].predictions.patient_ids
    follow_up = _follow_up(dataset, patients)
    if follow_up is None:
        return "the table has no times"
    if by_days >= follow_up.longest_days:
        return (
            f"nobody was watched beyond day {follow_up.longest_days:g}; asked is day {by_days:g}"
        )
    known = set(follow_up.patient_ids)
    places = np.flatnonzero([patient in known for patient in patients])
    by_then = at_horizon(follow_up, training=follow_up, horizon_days=by_days)
    return Timed(
        horizon_days=by_days,
        event=by_then.flow.event,
        died=by_then.flow.died,
        event_free=by_then.flow.event_free,
        censored=by_then.flow.censored,
        untimed=len(patients) - len(places),
        deaths_known=bool(np.isfinite(dataset.died).any()),
        incidence=cumulative_incidence(follow_up, bootstrap).at(by_days),
        rungs=tuple(_rung(each, places, by_then, by_days, bootstrap) for each in rungs),
    )


def _rung(
    found: OutOfFold,
    places: NDArray[np.intp],
    by_then: AtHorizon,
    by_days: float,
    bootstrap: Bootstrap,
) -> TimedRung:
    follow_up = by_then.follow_up
    risk = found.predictions.repeats[:, places]
    predictions = by_then.predictions(risk)
    return TimedRung(
        rung=found.rung.name,
        concordance=uno_concordance(
            follow_up, risk, bootstrap, training=follow_up, tau_days=by_days
        ),
        auc=pooled_auc(predictions, bootstrap),
        brier=calibration(predictions, bootstrap).brier,
    )


def _follow_up(dataset: Dataset, patients: Sequence[str]) -> FollowUp | None:
    """Return the follow-up of the patients whose time is known, in their order.

    Of several cases of a patient the first event counts, or else the longest watch.
    """
    rows = dataset.rows
    told: dict[str, tuple[int, float]] = {}
    scored = set(patients)
    for patient, event, days, died in zip(
        rows.patient_ids, rows.outcome, dataset.time_days, dataset.died, strict=True
    ):
        if patient not in scored or not days >= 0:
            continue
        status = Status.EVENT if event else Status.COMPETING if died == 1 else Status.CENSORED
        told[patient] = _later(told.get(patient), (status, float(days)))
    known = [patient for patient in patients if patient in told]
    if not known:
        return None
    return FollowUp(
        patient_ids=tuple(known),
        time_days=np.array([told[patient][1] for patient in known]),
        status=np.array([told[patient][0] for patient in known], dtype=np.int64),
    )


def _later(before: tuple[int, float] | None, now: tuple[int, float]) -> tuple[int, float]:
    if before is None:
        return now
    with_event = [each for each in (before, now) if each[0] == Status.EVENT]
    if with_event:
        return min(with_event, key=lambda each: each[1])
    return max((before, now), key=lambda each: each[1])
