"""Whom a backbone learns from, and whom it is stopped by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.models.backbone.crops import Crops
from hnmets.models.errors import UntrainableError


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingCases:
    """Crops and outcome of a cohort, and the two parts of it that a training may look at.

    Parameters
    ----------
    crops
        Of all cases, on the device that trains.
    outcome
        bool (N,).
    fitting
        int64, places of the cases to learn from.
    stopping
        int64, places of the cases that choose the epoch: the inner part, never the outer one.

    Raises
    ------
    UntrainableError
        If a part is empty, the parts share a case, or those to learn from are of one class.
    """

    crops: Crops
    outcome: NDArray[np.bool_]
    fitting: NDArray[np.int64]
    stopping: NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.crops) != len(self.outcome):
            raise ValueError(f"{len(self.crops)} crops and {len(self.outcome)} outcomes")
        events = int(self.outcome[self.fitting].sum())
        if not 0 < events < len(self.fitting):
            raise UntrainableError(
                f"backbone: {events} of {len(self.fitting)} cases to learn from have the event"
            ).with_note("Learning needs cases with and without it.")
        if not len(self.stopping):
            raise UntrainableError("backbone: there is no case to choose the epoch by")
        if shared := np.intersect1d(self.fitting, self.stopping).size:
            raise UntrainableError(f"backbone: {shared} cases both teach and stop the training")
