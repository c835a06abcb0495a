"""Modality drop: the risk of one patient with a modality made that of an average patient."""

from dataclasses import dataclass

import numpy as np

from hnmets.datasets.rows import Rows
from hnmets.explanation.margin import mean_of, require_one
from hnmets.models.candidate import FittedCandidate


@dataclass(frozen=True, kw_only=True)
class ModalityDrop:
    """What one modality does to a risk.

    Parameters
    ----------
    risk
        Of the patient, from 0 to 1.
    risk_without
        With the training mean in every column of the modality.
    """

    modality: str
    risk: float
    risk_without: float

    @property
    def change(self) -> float:
        """What the modality adds to the risk."""
        return self.risk - self.risk_without


def modality_drop(
    fitted: FittedCandidate, case: Rows, background: Rows
) -> tuple[ModalityDrop, ...]:
    """Replace one modality after the other by the training mean of its columns.

    Unlike the Shapley values it asks of each modality alone, next to all the others: two that
    say the same both seem to matter little.

    Parameters
    ----------
    case
        One row, with the columns that the rung was fitted on before it chose.
    background
        The training rows; the mean of a column is that of the patients who have it.

    Raises
    ------
    ValueError
        If there is not exactly one case.
    """
    require_one(case)
    seen, mean = fitted.view.apply(case), mean_of(fitted.view.apply(background))
    modalities = tuple(dict.fromkeys(seen.modalities))
    dropped = [np.array([of == name for of in seen.modalities]) for name in modalities]
    values = np.vstack([seen.values[0], *(np.where(of, mean, seen.values[0]) for of in dropped)])
    patients = seen.among(np.zeros(len(values), dtype=np.intp))
    rows = patients.with_columns(seen.columns, modalities=seen.modalities, values=values)
    full, *without = fitted.model.risk(fitted.chain.apply(rows)).tolist()
    return tuple(
        ModalityDrop(modality=name, risk=full, risk_without=risk)
        for name, risk in zip(modalities, without, strict=True)
    )
