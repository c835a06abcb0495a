"""Steps one after the other, each fitted on what the steps before it made of the training rows."""

from dataclasses import dataclass

from hnmets.datasets.rows import TrainRows
from hnmets.selection.base import AnyRows, Fitted, Step


@dataclass(frozen=True, kw_only=True)
class FittedChain:
    """Fitted steps in their order.

    Parameters
    ----------
    columns
        What the last step makes.
    """

    steps: tuple[Fitted, ...]
    columns: tuple[str, ...]

    def apply(self, rows: AnyRows) -> AnyRows:
        """Return the rows after all steps; see `Fitted.apply`."""
        for step in self.steps:
            rows = step.apply(rows)
        return rows


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Steps in their order; a step itself."""

    steps: tuple[Step, ...]

    def fit(self, rows: TrainRows) -> FittedChain:
        """Fit all steps; see `Step.fit`.

        Raises
        ------
        TypeError
            If the rows are not training rows: a notebook has no type checker.
        """
        if not isinstance(rows, TrainRows):
            raise TypeError(f"fitted on {type(rows).__name__}; only TrainRows may be learned from")
        fitted: list[Fitted] = []
        for step in self.steps:
            learned = step.fit(rows)
            rows = learned.apply(rows)
            fitted.append(learned)
        return FittedChain(steps=tuple(fitted), columns=rows.columns)
