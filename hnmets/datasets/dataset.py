"""A design matrix and everything that a person or a metric wants to know beside it."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Recipe
from hnmets.datasets.fold_models import FoldModels
from hnmets.datasets.rows import Rows
from hnmets.datasets.view import FeatureView


@dataclass(frozen=True, kw_only=True)
class Absent:
    """What a view lacks of one modality.

    Parameters
    ----------
    cases
        Cases that lack the modality altogether; 0 under `complete-case`.
    values
        Single values that are absent from the rows of the other cases.
    """

    modality: str
    cases: int
    values: int


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The rows of a feature view.

    Parameters
    ----------
    rows
        Sorted by case.
    centres
        One per row; None where it was not recorded.
    time_days
        float64, shape (cases,): days to the event or the last follow-up; NaN where unknown.
    died
        float64, shape (cases,): 1 where the follow-up ended by death without the event; NaN
        where the table does not tell.
    recipes
        Those of the view, in its order.
    left_out
        Why a case of the store is no row.
    absent
        What the rows lack, by modality in the order of the view.
    fold_models
        By the fold's name, the features of the networks that were trained in it; with any, the
        other folds of a split are not used.
    """

    view: FeatureView
    rows: Rows
    centres: tuple[str | None, ...]
    time_days: NDArray[np.float64]
    died: NDArray[np.float64]
    recipes: tuple[Recipe, ...]
    left_out: Mapping[str, str]
    absent: tuple[Absent, ...]
    fold_models: Mapping[str, FoldModels] = field(default_factory=dict)

    @property
    def every_recipe(self) -> tuple[Recipe, ...]:
        """The recipes of the view, and those of every fold's networks."""
        trained = (recipe for each in self.fold_models.values() for recipe in each.recipes)
        return (*self.recipes, *trained)

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each recipe by its name: radiomics, embedding, trained and so on."""
        return {recipe.name: recipe.kind for recipe in self.every_recipe}

    def among(self, case_ids: Collection[str], *, reason: str) -> "Dataset":
        """Return the rows of some cases.

        Parameters
        ----------
        reason
            Why the others are left out.
        """
        cases = self.rows.case_ids
        kept = [place for place, case in enumerate(cases) if case in case_ids]
        return replace(
            self,
            rows=self.rows.among(kept),
            centres=tuple(self.centres[place] for place in kept),
            time_days=self.time_days[kept],
            died=self.died[kept],
            fold_models={fold: each.among(kept) for fold, each in self.fold_models.items()},
            left_out={**self.left_out, **{c: reason for c in cases if c not in case_ids}},
        )

    @property
    def reasons(self) -> dict[str, int]:
        """How many cases were left out by which reason, most frequent first."""
        counted = Counter(self.left_out.values())
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over recipes, cases, columns, values and outcome: what a run was made from."""
        running = hashlib.sha256()
        names = (
            [recipe.fingerprint for recipe in self.every_recipe],
            self.rows.case_ids,
            self.rows.patient_ids,
            self.rows.columns,
        )
        running.update(repr(names).encode())
        running.update(np.ascontiguousarray(self.rows.values).tobytes())
        for each in self.fold_models.values():
            running.update(np.ascontiguousarray(each.values).tobytes())
        running.update(self.rows.outcome.tobytes())
        return running.hexdigest()
