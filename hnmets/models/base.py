"""What every model is: fitted on training rows, stopped and calibrated on an inner part."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import ChoosingRows, Rows, TrainRows
from hnmets.models.errors import UntrainableError
from hnmets.models.recalibration import Recalibration


class FittedModel(Protocol):
    """What a model has learned."""

    @property
    def calibration(self) -> Recalibration:
        """How scores became risks, and whether they are calibrated at all."""
        ...

    def risk(self, rows: Rows) -> NDArray[np.float64]:
        """Return the risk of the event.

        Returns
        -------
        NDArray
            float64, shape (cases,), from 0 to 1.

        Raises
        ------
        ColumnsDifferError
            If the rows have other columns than those that the model was fitted on.
        AbsentValuesError
            If a value is not finite.
        """
        ...


class Model(Protocol):
    """Something that learns risks; its settings are a frozen dataclass."""

    def fit(self, rows: TrainRows, choosing: ChoosingRows, *, seed: int) -> FittedModel:
        """Learn; the same rows, settings and seed give the same risks.

        Parameters
        ----------
        rows
            To learn from.
        choosing
            Other patients with the same columns, to stop, choose a strength and calibrate by.
        seed
            Of whatever is drawn, not negative.

        Raises
        ------
        UntrainableError
            If the rows are of one class, there are no columns or nobody to choose by.
        AbsentValuesError
            If a value is not finite.
        """
        ...


def require_trainable(model: str, rows: TrainRows, choosing: ChoosingRows) -> None:
    """Refuse rows that teach nothing, and rows of a use that is not theirs.

    Raises
    ------
    TypeError
        If rows of another kind come in: a notebook has no type checker.
    UntrainableError
        See `Model.fit`.
    """
    if not (isinstance(rows, TrainRows) and isinstance(choosing, ChoosingRows)):
        raise TypeError(
            f"{model} fitted on {type(rows).__name__} and {type(choosing).__name__}; "
            "TrainRows and ChoosingRows are wanted"
        )
    events, cases = int(rows.outcome.sum()), len(rows.outcome)
    if events in {0, cases}:
        raise UntrainableError(f"{model}: {events} of {cases} training cases have the event")
    if not rows.columns or not len(choosing.outcome):
        raise UntrainableError(
            f"{model}: {len(rows.columns)} columns, {len(choosing.outcome)} cases to choose by"
        )
