"""How long patients were watched and how the watch ended."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import InvalidDataError


class Status(IntEnum):
    """How a patient's follow-up ended."""

    CENSORED = 0
    EVENT = 1  # distant metastasis
    COMPETING = 2  # death without it, after which it cannot come


@dataclass(frozen=True, kw_only=True, eq=False)
class FollowUp:
    """Time to the first of metastasis, death and end of observation.

    Parameters
    ----------
    patient_ids
        n distinct ids.
    time_days
        float64, shape (n,), not negative.
    status
        int64, shape (n,), values of `Status`.

    Raises
    ------
    InvalidDataError
        If shapes disagree, an id comes twice, or a value is impossible.
    """

    patient_ids: tuple[str, ...]
    time_days: NDArray[np.float64]
    status: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.patient_ids)
        if self.time_days.shape != (n,) or self.status.shape != (n,):
            raise InvalidDataError(
                f"{n} patient ids, but times {self.time_days.shape}, status {self.status.shape}"
            )
        if n == 0 or len(set(self.patient_ids)) < n:
            raise InvalidDataError("follow-up needs one row for each patient")
        if not (np.isfinite(self.time_days) & (self.time_days >= 0)).all():
            raise InvalidDataError("follow-up times must be finite and not negative")
        if not np.isin(self.status, list(Status)).all():
            raise InvalidDataError(f"status codes {np.unique(self.status)} are not 0, 1 and 2")

    @cached_property
    def event(self) -> NDArray[np.bool_]:
        """Whether the metastasis was seen, shape (n,)."""
        return np.asarray(self.status == Status.EVENT)

    @cached_property
    def competing(self) -> NDArray[np.bool_]:
        """Whether the patient died without it, shape (n,)."""
        return np.asarray(self.status == Status.COMPETING)

    @property
    def longest_days(self) -> float:
        """The last day on which somebody was watched."""
        return float(self.time_days.max())

    def aligned(self, risk: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return risks as (repeats, n).

        Raises
        ------
        InvalidDataError
            If they are not finite or not one per patient.
        """
        if risk.ndim not in {1, 2} or risk.shape[-1] != len(self.patient_ids):
            raise InvalidDataError(f"risks {risk.shape} for {len(self.patient_ids)} patients")
        if not np.isfinite(risk).all():
            raise InvalidDataError(f"{(~np.isfinite(risk)).sum()} risks are not finite")
        return np.atleast_2d(risk)
