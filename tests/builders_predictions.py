"""Predictions and follow-up whose truth is known."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from hnmets.evaluation.follow_up import FollowUp
from hnmets.evaluation.predictions import Predictions


def patients(n: int) -> tuple[str, ...]:
    return tuple(f"HN-{number:04d}" for number in range(n))


def predictions(
    outcome: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None
) -> Predictions:
    known = np.asarray(outcome, dtype=bool)
    return Predictions(
        patient_ids=patients(len(known)),
        outcome=known,
        risk=np.asarray(risk, dtype=float),
        weight=None if weight is None else np.asarray(weight, dtype=float),
    )


def binormal(
    rng: np.random.Generator, n: int, *, shift: float, events: float = 0.2
) -> Predictions:
    """Scores N(0, 1) without and N(shift, 1) with the event: the AUC is Φ(shift / √2)."""
    outcome = rng.random(n) < events
    return predictions(outcome, rng.normal(size=n) + shift * outcome)


def calibrated(rng: np.random.Generator, n: int) -> Predictions:
    """Outcomes drawn from the very risks that are predicted."""
    risk = expit(rng.normal(-1.2, 1.0, size=n))
    return predictions(rng.random(n) < risk, risk)


def follow_up(time_days: ArrayLike, status: ArrayLike) -> FollowUp:
    days = np.asarray(time_days, dtype=float)
    return FollowUp(
        patient_ids=patients(len(days)), time_days=days, status=np.asarray(status, dtype=np.int64)
    )


METASTASIS_PER_DAY = 1 / 2000
DEATH_PER_DAY = 1 / 1000


def cohort_with_deaths(
    rng: np.random.Generator, n: int, *, deaths: bool = True, hazard_of: float = 0.0
) -> tuple[FollowUp, NDArray[np.float64]]:
    """Constant hazards of metastasis and death, censored between day 200 and day 3000.

    The score multiplies the hazard of metastasis by exp(hazard_of · score).
    """
    score = rng.normal(size=n)
    metastasis = rng.exponential(1 / METASTASIS_PER_DAY, n) * np.exp(-hazard_of * score)
    death = rng.exponential(1 / DEATH_PER_DAY, n) if deaths else np.full(n, np.inf)
    censored = rng.uniform(200, 3000, n)
    first = np.minimum(np.minimum(metastasis, death), censored)
    status = np.where(first == metastasis, 1, np.where(first == death, 2, 0))
    return follow_up(first, status), score


def watched_to_the_end(rng: np.random.Generator, score: NDArray[np.float64]) -> FollowUp:
    """Draw such patients for `hazard_of=1` with nobody lost, and one more who has no event."""
    metastasis = rng.exponential(1 / METASTASIS_PER_DAY, len(score)) * np.exp(-score)
    death = rng.exponential(1 / DEATH_PER_DAY, len(score))
    return follow_up(
        np.append(np.minimum(metastasis, death), 10**6),
        np.append(np.where(metastasis < death, 1, 2), 0),
    )


def incidence_by(day: float) -> float:
    """True chance of metastasis by a day when death may come first."""
    total = METASTASIS_PER_DAY + DEATH_PER_DAY
    return METASTASIS_PER_DAY / total * float(-np.expm1(-total * day))
