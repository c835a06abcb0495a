"""One head to be trained in a stack, and what became of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_layout import HeadLayout, layout_of
from hnmets.models.head_parameters import HeadParameters, Weighting


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadRows:
    """Patients as a head sees them; members that are given the same object share its memory.

    Parameters
    ----------
    inputs
        float32, shape (rows, columns), finite, the modalities side by side.
    outcome
        bool, shape (rows,).
    """

    inputs: NDArray[np.float32]
    outcome: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """A head to be trained.

    Parameters
    ----------
    fitting
        Rows to learn from, of both classes.
    choosing
        Rows to stop by, one at least.
    widths
        Columns of each modality.
    seed
        Of initial weights, order of the rows and dropout, not negative.
    """

    fitting: HeadRows
    choosing: HeadRows
    widths: tuple[int, ...]
    parameters: HeadParameters
    seed: int

    @property
    def layout(self) -> HeadLayout:
        """Shapes of its parameters."""
        return layout_of(self.parameters, self.widths)

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return -(-len(self.fitting.outcome) // self.parameters.batch_size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A head after training.

    Parameters
    ----------
    weights
        float32 by name, `NAME.weight` of shape (in, out) and `NAME.bias` of shape (1, out):
        those of the epoch with the lowest loss.
    losses
        float64, shape (epochs,): loss of the choosing rows after each epoch.
    diverged
        Whether a loss was not finite; the weights are then worth nothing.
    """

    weights: dict[str, NDArray[np.float32]]
    losses: NDArray[np.float64]
    diverged: bool

    @property
    def epoch(self) -> int:
        """Epoch whose weights these are, counted from 1.

        Raises
        ------
        ValueError
            If no loss was finite.
        """
        return int(np.nanargmin(self.losses)) + 1


def class_weights(outcome: NDArray[np.bool_], weighting: Weighting) -> tuple[float, float]:
    """Return the weight of a patient without and of one with the event; their mean is 1.

    Examples
    --------
    >>> class_weights(np.array([True, False, False, False]), "balanced")
    (0.6666666666666666, 2.0)
    """
    if weighting == "none":
        return 1.0, 1.0
    events = int(outcome.sum())
    return len(outcome) / (2 * (len(outcome) - events)), len(outcome) / (2 * events)
