"""What a model said of patients whose outcome is known."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Risks of patients who did not help to fit the model, one row per patient.

    A patient with several images is one patient: combine its risks first. Repeated
    cross-validation gives one risk per patient and repeat; statistics are averaged over the
    repeats and patients stay the unit that is resampled.

    Parameters
    ----------
    patient_ids
        n distinct ids.
    outcome
        bool, shape (n,): whether the event was seen.
    risk
        float64, shape (n,) or (repeats, n): higher means more at risk. Calibration and net
        benefit need probabilities, discrimination any score.
    weight
        float64, shape (n,), not negative: inverse probability of being uncensored
        (`hnmets.evaluation.horizon`); None where every outcome is known.

    Raises
    ------
    InvalidDataError
        If shapes disagree, an id comes twice, or a number is not finite.
    """

    patient_ids: tuple[str, ...]
    outcome: NDArray[np.bool_]
    risk: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = len(self.patient_ids)
        shapes = [self.outcome.shape, self.risk.shape[-1:], self.weights.shape]
        if any(shape != (n,) for shape in shapes) or self.risk.ndim not in {1, 2}:
            raise InvalidDataError(
                f"{n} patient ids, but outcome {self.outcome.shape}, risk {self.risk.shape}, "
                f"weight {self.weights.shape}"
            )
        if self.outcome.dtype != np.bool_:
            raise InvalidDataError(f"outcome is {self.outcome.dtype}, not bool")
        if len(set(self.patient_ids)) < n:
            raise InvalidDataError("a patient has two rows").with_note(
                "Combine the risks of a patient's images before evaluating."
            )
        if not np.isfinite(self.risk).all():
            raise InvalidDataError(f"{(~np.isfinite(self.risk)).sum()} risks are not finite")
        if not (np.isfinite(self.weights) & (self.weights >= 0)).all():
            raise InvalidDataError("weights must be finite and not negative")

    @property
    def n(self) -> int:
        """Patients whose outcome is known."""
        return int(np.count_nonzero(self.weights))

    @property
    def events(self) -> int:
        """Patients with the event."""
        return int(np.count_nonzero(self.outcome & (self.weights > 0)))

    @property
    def prevalence(self) -> float:
        """Share of patients with the event, weighted.

        Raises
        ------
        InvalidDataError
            If there is nobody whose outcome is known.
        """
        if self.n == 0:
            raise InvalidDataError("there is no patient whose outcome is known")
        return float(np.average(self.outcome, weights=self.weights))

    @cached_property
    def repeats(self) -> NDArray[np.float64]:
        """Risks, shape (repeats, n)."""
        return np.atleast_2d(self.risk)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Weights, shape (n,); ones where no patient is weighted."""
        return np.ones(len(self.patient_ids)) if self.weight is None else self.weight

    def of(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Predictions":
        """Take some patients.

        Parameters
        ----------
        rows
            Mask of shape (n,), or row numbers.
        """
        return Predictions(
            patient_ids=tuple(np.array(self.patient_ids, dtype=object)[rows]),
            outcome=self.outcome[rows],
            risk=self.risk[..., rows],
            weight=None if self.weight is None else self.weight[rows],
        )

    def require_probabilities(self) -> None:
        """Refuse risks that cannot be probabilities.

        Raises
        ------
        InvalidDataError
            If a risk lies outside 0 to 1.
        """
        low, high = float(self.risk.min(initial=0)), float(self.risk.max(initial=0))
        if low < 0 or high > 1:
            raise InvalidDataError(f"risks from {low:g} to {high:g} are no probabilities")


def paired(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Bring two models' predictions into one order of patients.

    Raises
    ------
    InvalidDataError
        If the two are not about the same patients with the same outcomes and weights.
    """
    alone = set(first.patient_ids) ^ set(second.patient_ids)
    if alone:
        raise InvalidDataError(
            f"the two models were not scored on the same patients: {len(alone)} have one "
            f"prediction only, the first is {min(alone)}"
        ).with_note("Evaluate both on one split file and one feature view.")
    row_of = {patient_id: row for row, patient_id in enumerate(second.patient_ids)}
    second = second.of(np.array([row_of[p] for p in first.patient_ids], dtype=np.intp))
    if (first.outcome != second.outcome).any() or (first.weights != second.weights).any():
        raise InvalidDataError("the two models were scored against different outcomes")
    return first, second
