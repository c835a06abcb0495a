"""A trained fusion head: risks of any rows with its columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows
from hnmets.models.head_layout import HeadLayout, layout_of
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.head_scores import Arrays, log_odds
from hnmets.models.recalibration import Recalibration
from hnmets.selection.base import require_columns, require_finite
from hnmets.selection.scaling import FittedScaling


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedFusion:
    """A trained head.

    Parameters
    ----------
    scaling
        Of the columns, as the training rows have them.
    modalities, widths
        Blocks of the input and their columns.
    places
        Place of each column of the input among the rows' columns.
    weights
        float32 by name; see `Trained`.
    losses
        Loss of the choosing rows after each epoch; the weights are those of the lowest.

    Raises
    ------
    ValueError
        If the weights do not fit the columns and the settings.
    """

    scaling: FittedScaling
    modalities: tuple[str, ...]
    places: tuple[int, ...]
    widths: tuple[int, ...]
    parameters: HeadParameters
    seed: int
    weights: Arrays
    losses: tuple[float, ...]
    calibration: Recalibration

    def __post_init__(self) -> None:
        """Check that every weight is there, in its shape."""
        columns = len(self.columns)
        if sorted(self.places) != list(range(columns)) or sum(self.widths) != columns:
            raise ValueError(f"places and widths do not cover {columns} columns")
        wanted: dict[str, tuple[int, ...]] = {}
        for name, (inputs, outputs) in self.layout.linear.items():
            wanted |= {f"{name}.weight": (inputs, outputs), f"{name}.bias": (1, outputs)}
        met = {name: array.shape for name, array in self.weights.items()}
        differing = sorted(n for n in met | wanted if met.get(n) != wanted.get(n))
        if differing:
            raise ValueError(f"'{differing[0]}' is absent, unknown or of another shape")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the head was fitted on."""
        return self.scaling.columns

    @property
    def layout(self) -> HeadLayout:
        """Shapes of the weights."""
        return layout_of(self.parameters, self.widths)

    def log_odds(self, rows: Rows) -> NDArray[np.float64]:
        """Return the scores before calibration, float64, shape (cases,); see `risk`."""
        require_columns("fusion head", self.columns, rows)
        return log_odds(self.weights, head_inputs(rows, self.scaling, self.places), self.layout)

    def risk(self, rows: Rows) -> NDArray[np.float64]:
        """Return the risk of the event; see `FittedModel.risk`."""
        return self.calibration.risk(self.log_odds(rows))


def blocks_of(
    modalities: Sequence[str],
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]:
    """Put the columns of each modality side by side.

    Returns
    -------
    modalities, places, widths
        Modalities in the order in which they are first met, places of all columns in the new
        order, and columns of each modality.

    Examples
    --------
    >>> blocks_of(["size", "clinical", "size"])
    (('size', 'clinical'), (0, 2, 1), (2, 1))
    """
    by_modality: dict[str, list[int]] = {}
    for place, modality in enumerate(modalities):
        by_modality.setdefault(modality, []).append(place)
    places = tuple(place for block in by_modality.values() for place in block)
    return tuple(by_modality), places, tuple(len(block) for block in by_modality.values())


def head_inputs(rows: Rows, scaling: FittedScaling, places: Sequence[int]) -> NDArray[np.float32]:
    """Return scaled values with the modalities side by side, float32, shape (cases, columns).

    Raises
    ------
    AbsentValuesError
        If a value is not finite.
    """
    require_finite("fusion head", rows, np.arange(len(rows.columns)))
    return scaling.apply(rows).values[:, list(places)].astype(np.float32)
