"""The procedure of a study: what a ladder and everything that questions it is put through."""

from collections.abc import Sequence
from dataclasses import dataclass

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.fold_rows import folds_of
from hnmets.datasets.split import Split
from hnmets.evaluation.bootstrap import Bootstrap
from hnmets.models.head_parameters import HeadParameters
from hnmets.selection.reference import SelectionParameters
from hnmets.workflows.cross_validation import (
    CrossValidated,
    OnFit,
    cross_validate,
    nothing_more,
)
from hnmets.workflows.ladder import Rung, as_set
from hnmets.workflows.on_case import OnCase


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How rungs are fitted, scored and measured.

    Parameters
    ----------
    head
        Settings of the fusion heads.
    seed
        Of the models in the first fold; each fold has its own.
    on_fold
        Called with what is being fitted, how much is done, and how much there is.
    """

    split: Split
    selection: SelectionParameters
    head: HeadParameters
    seed: int
    bootstrap: Bootstrap
    on_fold: OnCase

    def scored(
        self,
        dataset: Dataset,
        rungs: Sequence[Rung],
        *,
        what: str = "",
        on_fit: OnFit = nothing_more,
    ) -> CrossValidated:
        """Fit and score rungs in every fold; see `cross_validate`.

        Parameters
        ----------
        what
            Told before the name of a fold.
        """

        def told(fold: str, done: int, total: int) -> None:
            self.on_fold(", ".join(filter(None, (what, fold))), done, total)

        return cross_validate(
            folds_of(dataset, self.split),
            rungs,
            candidate_of=as_set(self.selection, self.head),
            seed=self.seed,
            on_fold=told,
            on_fit=on_fit,
        )
