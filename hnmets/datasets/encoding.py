"""Columns of a recipe as numbers; categories by the vocabulary that the recipe declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from feature_store.matrix import FeatureMatrix
from feature_store.recipe import Recipe
from hnmets.domain.errors import InvalidDataError
from hnmets.extractors.clinical import UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Block:
    """The columns of one recipe.

    Parameters
    ----------
    columns
        `recipe.column`, or `recipe.column=category`.
    values
        float64, shape (cases, columns); NaN where absent.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float64]


def encoded(recipe: Recipe, matrix: FeatureMatrix, present: NDArray[np.bool_]) -> Block:
    """Return a recipe's columns as numbers, categories one-hot, `unknown` one of them.

    Parameters
    ----------
    matrix
        Holds the recipe's columns.
    present
        bool, shape (cases,): cases that have the recipe; the others are NaN throughout.

    Raises
    ------
    InvalidDataError
        If a category has no declared vocabulary, or a value outside of it: one that is made
        from the data would differ between folds.
    """
    place = {name: number for number, name in enumerate(matrix.columns)}
    columns: list[str] = []
    values: list[NDArray[np.float64]] = []
    for column, kind in zip(recipe.columns, recipe.column_types, strict=True):
        name = f"{recipe.name}.{column}"
        if kind != "text":
            columns.append(name)
            values.append(matrix.values[:, place[name]])
            continue
        vocabulary = vocabulary_of(recipe, column)
        columns += [f"{name}={category}" for category in vocabulary]
        values += _one_hot(name, vocabulary, matrix, present)
    return Block(columns=tuple(columns), values=np.column_stack(values))


def vocabulary_of(recipe: Recipe, column: str) -> tuple[str, ...]:
    """Return the categories of a text column, `unknown` the last of them.

    Raises
    ------
    InvalidDataError
        If the recipe declares none.
    """
    variables = recipe.parameters.get("variables")
    declared = variables.get(column) if isinstance(variables, dict) else None
    categories = declared.get("categories") if isinstance(declared, dict) else None
    if not categories:
        raise InvalidDataError(
            f"{recipe.label}: '{column}' is text without declared categories"
        ).with_note(
            f"List them in `values` of [clinical.{column}] in the study file and build again; "
            "an imported table has to hold numbers."
        )
    # A recipe's parameters are JSON; the extractor wrote a list of texts.
    texts = cast("Sequence[str]", categories)
    return tuple(dict.fromkeys([*texts, UNKNOWN]))


def _one_hot(
    name: str,
    vocabulary: Sequence[str],
    matrix: FeatureMatrix,
    present: NDArray[np.bool_],
) -> list[NDArray[np.float64]]:
    texts = [UNKNOWN if text is None else text for text in matrix.text[name]]
    for case_id, text in zip(matrix.case_ids, texts, strict=True):
        if text not in vocabulary:
            raise InvalidDataError(
                f"case {case_id}: {name} is '{text}', declared are {', '.join(vocabulary)}"
            ).with_note("Build the features again: the recipe declares another vocabulary.")
    values = np.array(texts, dtype=object)
    return [
        np.where(present, (values == category).astype(np.float64), np.nan)
        for category in vocabulary
    ]
