"""From a published store to the design matrix of a feature view."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from feature_store.matrix import FeatureMatrix
from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot
from hnmets.datasets.dataset import Absent, Dataset
from hnmets.datasets.encoding import Block, encoded
from hnmets.datasets.fold_models import columns_of, fold_models
from hnmets.datasets.rows import Rows
from hnmets.datasets.view import FeatureView
from hnmets.domain.errors import InvalidDataError

_NEVER_PREDICTORS = {"cohort": "whose case it is", "outcome": "what is to be predicted"}


def assemble(
    snapshot: Snapshot,
    view: FeatureView,
    *,
    outcome: str = "outcome",
    by_fold: Mapping[str, Sequence[Recipe]] | None = None,
) -> Dataset:
    """Join the recipes of a view on the case; every case of the store is a row or has a reason.

    Parameters
    ----------
    snapshot
        The study's own cases: `Snapshot.among` leaves out the others.
    outcome
        Name, label or fingerprint of the outcome's recipe.
    by_fold
        What the networks trained in a fold made, by the fold's name: their recipes have the
        same names in every fold, and a view asks for them by these.

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
    trained = _trained(view, by_fold or {})
    networks = {recipe.name for recipes in trained.values() for recipe in recipes}
    recipes = tuple(snapshot.find(label) for label in view.recipes if label not in networks)
    _refuse_targets(recipes)
    labels = ["cohort", outcome, *(recipe.fingerprint for recipe in recipes)]
    everyone = snapshot.matrix(labels, complete=False)
    has = {recipe.name: _cases_of(snapshot, recipe) for recipe in recipes}
    has |= {name: _cases_of_network(snapshot, name, trained) for name in sorted(networks)}
    left_out = _left_out(snapshot, view, has, everyone, snapshot.find(outcome))
    kept = [row for row, case_id in enumerate(everyone.case_ids) if case_id not in left_out]
    if not kept:
        reasons = ", ".join(sorted(set(left_out.values()))[:3]) or "the store has no case"
        raise InvalidDataError(f"view '{view.name}' has no case: {reasons}")
    matrix = _among(everyone, kept)
    blocks = {
        recipe.name: encoded(recipe, matrix, _present(has, recipe, matrix)) for recipe in recipes
    }
    blocks |= _placeholders(trained, len(matrix.case_ids))
    rows = _rows(blocks, matrix, _column(matrix, snapshot, outcome, "event"))
    return Dataset(
        view=view,
        rows=rows,
        centres=matrix.text["cohort.centre"],
        time_days=_column(matrix, snapshot, outcome, "time_days"),
        died=_column(matrix, snapshot, outcome, "died"),
        recipes=recipes,
        left_out=left_out,
        absent=tuple(_absent(name, blocks[name], has[name], rows.case_ids) for name in blocks),
        fold_models=fold_models(snapshot, trained, rows.case_ids),
    )


def _trained(
    view: FeatureView, by_fold: Mapping[str, Sequence[Recipe]]
) -> dict[str, list[Recipe]]:
    """Return the recipes that the view asks for, by fold."""
    asked = {
        fold: [recipe for recipe in recipes if recipe.name in view.recipes]
        for fold, recipes in by_fold.items()
    }
    return {fold: recipes for fold, recipes in asked.items() if recipes}


def _refuse_targets(recipes: Sequence[Recipe]) -> None:
    for recipe in recipes:
        if recipe.kind in _NEVER_PREDICTORS:
            raise InvalidDataError(
                f"{recipe.label} says {_NEVER_PREDICTORS[recipe.kind]}: it is no feature"
            ).with_note("Take it out of the view.")


def _left_out(
    snapshot: Snapshot,
    view: FeatureView,
    has: Mapping[str, frozenset[str]],
    everyone: FeatureMatrix,
    outcome: Recipe,
) -> dict[str, str]:
    """Return a reason for every case of the store that cannot be a row."""
    has_patient = _cases_of(snapshot, snapshot.find("cohort"))
    event = everyone.values[:, everyone.columns.index(f"{outcome.name}.event")]
    has_outcome = {
        case for case, known in zip(everyone.case_ids, ~np.isnan(event), strict=True) if known
    }
    reasons: dict[str, str] = {}
    for case_id in snapshot.case_ids:
        lacking = [name for name, cases in has.items() if case_id not in cases]
        if case_id not in has_patient:
            reasons[case_id] = "no patient"
        elif case_id not in has_outcome:
            reasons[case_id] = "no outcome"
        elif len(lacking) == len(has) or (lacking and view.policy == "complete-case"):
            reasons[case_id] = _why_lacking(snapshot, case_id, lacking)
    return reasons


def _why_lacking(snapshot: Snapshot, case_id: str, lacking: Sequence[str]) -> str:
    codes = sorted({q.code for q in snapshot.quarantined if q.case_id == case_id})
    return f"lacks {', '.join(lacking)}" + (f" ({', '.join(codes)})" if codes else "")


def _cases_of(snapshot: Snapshot, recipe: Recipe) -> frozenset[str]:
    return frozenset(snapshot.tables[recipe.fingerprint].case_ids)


def _cases_of_network(
    snapshot: Snapshot, name: str, trained: Mapping[str, Sequence[Recipe]]
) -> frozenset[str]:
    """Return the cases that a network has embedded in every fold."""
    of_folds = [
        _cases_of(snapshot, recipe)
        for recipes in trained.values()
        for recipe in recipes
        if recipe.name == name
    ]
    return frozenset.intersection(*of_folds)


def _present(
    has: Mapping[str, frozenset[str]], recipe: Recipe, matrix: FeatureMatrix
) -> NDArray[np.bool_]:
    return np.array([case in has[recipe.name] for case in matrix.case_ids], dtype=bool)


def _placeholders(trained: Mapping[str, Sequence[Recipe]], cases: int) -> dict[str, Block]:
    """Return columns without values: those of a fold are put in when its rows are cut."""
    one_fold = next(iter(trained.values()), ())
    return {
        recipe.name: Block(
            columns=columns_of(recipe), values=np.full((cases, len(recipe.columns)), np.nan)
        )
        for recipe in one_fold
    }


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


def _rows(blocks: Mapping[str, Block], matrix: FeatureMatrix, event: NDArray[np.float64]) -> Rows:
    return Rows(
        case_ids=matrix.case_ids,
        patient_ids=tuple(map(str, matrix.text["cohort.patient_id"])),
        columns=tuple(column for block in blocks.values() for column in block.columns),
        modalities=tuple(name for name, block in blocks.items() for _ in block.columns),
        values=np.column_stack([block.values for block in blocks.values()]),
        outcome=event == 1,
    )


def _absent(modality: str, block: Block, has: frozenset[str], case_ids: Sequence[str]) -> Absent:
    present = np.array([case in has for case in case_ids], dtype=bool)
    unknown = np.isnan(block.values[present])
    # A network leaves no single value out, and its columns are empty until a fold is cut.
    single = 0 if unknown.all() else int(np.count_nonzero(unknown))
    return Absent(modality=modality, cases=int(np.count_nonzero(~present)), values=single)
