"""From a published store to the design matrix of a feature view."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from feature_store.matrix import FeatureMatrix
from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot
from hnmets.datasets.dataset import Absent, Dataset
from hnmets.datasets.encoding import encoded
from hnmets.datasets.rows import Rows
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError

_NEVER_PREDICTORS = {"cohort": "whose case it is", "outcome": "what is to be predicted"}


def assemble(snapshot: Snapshot, view: FeatureView, *, outcome: str = "outcome") -> Dataset:
    """Join the recipes of a view on the case; every case of the store is a row or has a reason.

    Parameters
    ----------
    snapshot
        The study's own cases: `Snapshot.among` leaves out the others.
    outcome
        Name, label or fingerprint of the outcome's recipe.

    Raises
    ------
    UnknownRecipeError, AmbiguousRecipeError, SeveralPartsError
        See `Snapshot.matrix`.
    MixedRecipesError
        If the view has two recipes of one name: their columns cannot be compared.
    InvalidDataError
        If the view names the outcome or the patients as features, a category has no declared
        vocabulary, or no case is left.
    """
    recipes = tuple(snapshot.find(label) for label in view.recipes)
    _refuse_targets(recipes)
    labels = ["cohort", outcome, *(recipe.fingerprint for recipe in recipes)]
    everyone = snapshot.matrix(labels, complete=False)
    left_out = _left_out(snapshot, view, recipes, everyone, snapshot.find(outcome))
    kept = [row for row, case_id in enumerate(everyone.case_ids) if case_id not in left_out]
    if not kept:
        reasons = ", ".join(sorted(set(left_out.values()))[:3]) or "the store has no case"
        raise InvalidDataError(f"view '{view.name}' has no case: {reasons}")
    matrix = _among(everyone, kept)
    rows, absent = _rows(snapshot, recipes, matrix, _column(matrix, snapshot, outcome, "event"))
    return Dataset(
        view=view,
        rows=rows,
        centres=matrix.text["cohort.centre"],
        time_days=_column(matrix, snapshot, outcome, "time_days"),
        died=_column(matrix, snapshot, outcome, "died"),
        recipes=recipes,
        left_out=left_out,
        absent=absent,
    )


def _refuse_targets(recipes: Sequence[Recipe]) -> None:
    for recipe in recipes:
        if recipe.kind in _NEVER_PREDICTORS:
            raise InvalidDataError(
                f"{recipe.label} says {_NEVER_PREDICTORS[recipe.kind]}: it is no feature"
            ).with_note("Take it out of the view.")


def _left_out(
    snapshot: Snapshot,
    view: FeatureView,
    recipes: Sequence[Recipe],
    everyone: FeatureMatrix,
    outcome: Recipe,
) -> dict[str, str]:
    """Return a reason for every case of the store that cannot be a row."""
    has_patient = _cases_of(snapshot, snapshot.find("cohort"))
    event = everyone.values[:, everyone.columns.index(f"{outcome.name}.event")]
    has_outcome = {
        case for case, known in zip(everyone.case_ids, ~np.isnan(event), strict=True) if known
    }
    has = {recipe.fingerprint: _cases_of(snapshot, recipe) for recipe in recipes}
    reasons: dict[str, str] = {}
    for case_id in snapshot.case_ids:
        lacking = [recipe for recipe in recipes if case_id not in has[recipe.fingerprint]]
        if case_id not in has_patient:
            reasons[case_id] = "no patient"
        elif case_id not in has_outcome:
            reasons[case_id] = "no outcome"
        elif len(lacking) == len(recipes) or (lacking and view.policy == "complete-case"):
            reasons[case_id] = _why_lacking(snapshot, case_id, lacking)
    return reasons


def _why_lacking(snapshot: Snapshot, case_id: str, lacking: Sequence[Recipe]) -> str:
    names = ", ".join(recipe.name for recipe in lacking)
    codes = sorted({q.code for q in snapshot.quarantined if q.case_id == case_id})
    return f"lacks {names}" + (f" ({', '.join(codes)})" if codes else "")


def _cases_of(snapshot: Snapshot, recipe: Recipe) -> frozenset[str]:
    return frozenset(snapshot.tables[recipe.fingerprint].case_ids)


def _among(matrix: FeatureMatrix, rows: Sequence[int]) -> FeatureMatrix:
    return replace(
        matrix,
        case_ids=tuple(matrix.case_ids[row] for row in rows),
        values=matrix.values[rows],
        text={name: tuple(texts[row] for row in rows) for name, texts in matrix.text.items()},
    )


def _column(
    matrix: FeatureMatrix, snapshot: Snapshot, recipe: str, column: str
) -> NDArray[np.float64]:
    """Return a column of a recipe, NaN throughout where the recipe has none of that name."""
    name = f"{snapshot.find(recipe).name}.{column}"
    if name not in matrix.columns:
        return np.full(len(matrix.case_ids), np.nan)
    values: NDArray[np.float64] = matrix.values[:, matrix.columns.index(name)]
    return values


def _rows(
    snapshot: Snapshot,
    recipes: Sequence[Recipe],
    matrix: FeatureMatrix,
    event: NDArray[np.float64],
) -> tuple[Rows, tuple[Absent, ...]]:
    columns: list[str] = []
    modalities: list[str] = []
    values: list[NDArray[np.float64]] = []
    absent: list[Absent] = []
    for recipe in recipes:
        with_it = _cases_of(snapshot, recipe)
        present = np.array([case in with_it for case in matrix.case_ids], dtype=bool)
        block = encoded(recipe, matrix, present)
        columns += block.columns
        modalities += [recipe.name] * len(block.columns)
        values.append(block.values)
        absent.append(_absent(recipe, block.values, present))
    rows = Rows(
        case_ids=matrix.case_ids,
        patient_ids=tuple(map(str, matrix.text["cohort.patient_id"])),
        columns=tuple(columns),
        modalities=tuple(modalities),
        values=np.column_stack(values),
        outcome=event == 1,
    )
    return rows, tuple(absent)


def _absent(recipe: Recipe, values: NDArray[np.float64], present: NDArray[np.bool_]) -> Absent:
    return Absent(
        modality=recipe.name,
        cases=int(np.count_nonzero(~present)),
        values=int(np.count_nonzero(np.isnan(values[present]))),
    )
