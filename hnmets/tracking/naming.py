"""Names under which runs, numbers and labels stand in MLflow.

The run table of an experiment sorts and groups by columns, its compare page by parameters and
metrics. So what tells runs apart (view, model, rung) is a tag and a parameter, run names sort in
the order of the ladder, and the numbers that are compared have the shortest names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hnmets.evaluation.estimate import Estimate, Measured, NotEstimable
from hnmets.tracking.base import Metric

# More digits are noise in any cohort, and fill the cells of the run table.
_DECIMALS = 4
# Runs are listed by it. Folds call theirs `fold_auc`, so that they do not crowd the list.
HEADLINE = "auc"


class Kind(StrEnum):
    """What a run stands for."""

    EVALUATION = "evaluation"
    RUNG = "rung"
    FOLD = "fold"
    CONTROL = "control"
    TRAINING = "training"
    BACKBONE = "backbone"
    SEARCH = "search"
    STUDY = "search of a fold"
    TRIAL = "trial"
    EXTERNAL = "external validation"


@dataclass(frozen=True, kw_only=True)
class Label:
    """What tells a run from its neighbours.

    Parameters
    ----------
    view
        What the model sees: `clinical + size`.
    model
        How it learns: `logistic`.
    rung
        Place on the ladder, from 1; None off the ladder.
    repeat, fold
        Of a run that is one fold, from 1.
    """

    view: str
    model: str
    rung: int | None = None
    repeat: int | None = None
    fold: int | None = None

    @property
    def kind(self) -> Kind:
        """A fold where there is one, else a rung."""
        return Kind.RUNG if self.fold is None else Kind.FOLD

    @property
    def name(self) -> str:
        """Name of the run.

        Examples
        --------
        >>> Label(view="clinical + size", model="logistic", rung=2).name
        '02 clinical + size (logistic)'
        >>> Label(view="size", model="forest", repeat=1, fold=3).name
        'size (forest) repeat 1 fold 3'
        """
        place = "" if self.rung is None else f"{self.rung:02d} "
        part = "" if self.fold is None else f" repeat {self.repeat or 1} fold {self.fold}"
        return f"{place}{self.view} ({self.model}){part}"

    @property
    def tags(self) -> dict[str, str]:
        """Columns of the run table."""
        return {"kind": self.kind.value, **self.params}

    @property
    def params(self) -> dict[str, str]:
        """Axes of the compare page, which knows no tags."""
        values = {
            "view": self.view,
            "model": self.model,
            "rung": self.rung,
            "repeat": self.repeat,
            "fold": self.fold,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


def metrics_of(measures: Mapping[str, Measured]) -> list[Metric]:
    """Return the numbers of estimates: `auc`, `auc_low` and `auc_high` of `auc`.

    What is not estimable has no number; see `reasons_of`.
    """
    return [
        Metric(name=name + end, value=round(value, _DECIMALS))
        for name, measure in measures.items()
        if isinstance(measure, Estimate)
        for end, value in (
            ("", measure.value),
            ("_low", measure.low),
            ("_high", measure.high),
        )
    ]


def reasons_of(measures: Mapping[str, Measured]) -> dict[str, str]:
    """Return, as tags, why a number is absent: `auc_not_estimable`."""
    return {
        f"{name}_not_estimable": measure.reason
        for name, measure in measures.items()
        if isinstance(measure, NotEstimable)
    }
