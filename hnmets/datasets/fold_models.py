"""Features that differ from fold to fold: what the networks trained in a fold see of everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from feature_store.matrix import FeatureMatrix
from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot
from hnmets.datasets.rows import Rows


@dataclass(frozen=True, kw_only=True)
class FoldModels:
    """The features of one fold's networks.

    Outside of the fold they are NaN: to most patients they were fitted, and no number made
    from all rows may rest on them.

    Parameters
    ----------
    recipes
        One per network.
    columns
        `trained.swin.e000` and so on; the same in every fold.
    values
        float64, shape (cases, columns).
    """

    recipes: tuple[Recipe, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]

    def among(self, places: Sequence[int]) -> "FoldModels":
        """Return the features of some cases."""
        return replace(self, values=self.values[list(places)])

    def shown(self, rows: Rows) -> Rows:
        """Return rows with the features in place; columns that the rows lack are passed over."""
        place_of = {column: place for place, column in enumerate(rows.columns)}
        pairs = [(place_of[c], n) for n, c in enumerate(self.columns) if c in place_of]
        values = rows.values.copy()
        values[:, [place for place, _ in pairs]] = self.values[:, [n for _, n in pairs]]
        return replace(rows, values=values)


def columns_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of a network's columns in a design matrix."""
    return tuple(f"{recipe.name}.{column}" for column in recipe.columns)


def fold_models(
    snapshot: Snapshot, recipes: Mapping[str, Sequence[Recipe]], case_ids: Sequence[str]
) -> dict[str, FoldModels]:
    """Return the features of every fold.

    Parameters
    ----------
    recipes
        By fold, one recipe per network.
    case_ids
        Rows; a case that lacks a recipe has NaN.
    """
    return {fold: _of_fold(snapshot, of_fold, case_ids) for fold, of_fold in recipes.items()}


def _of_fold(snapshot: Snapshot, recipes: Sequence[Recipe], case_ids: Sequence[str]) -> FoldModels:
    matrix = snapshot.matrix([recipe.fingerprint for recipe in recipes], complete=False)
    return FoldModels(
        recipes=tuple(recipes), columns=matrix.columns, values=_aligned(matrix, case_ids)
    )


def _aligned(matrix: FeatureMatrix, case_ids: Sequence[str]) -> NDArray[np.float64]:
    row_of = {case: row for row, case in enumerate(matrix.case_ids)}
    values = np.full((len(case_ids), len(matrix.columns)), np.nan)
    known = [place for place, case in enumerate(case_ids) if case in row_of]
    values[known] = matrix.values[[row_of[case_ids[place]] for place in known]]
    return values
