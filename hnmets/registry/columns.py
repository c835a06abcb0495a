"""What a model has to be told, column by column, as people and programs give it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from feature_store.recipe import Recipe
from hnmets.datasets.encoding import vocabulary_of
from hnmets.registry.networks import told_name


@dataclass(frozen=True, kw_only=True)
class InputColumn:
    """One value of a patient.

    Parameters
    ----------
    name
        `clinical.age`, `radiomics.tumour.original_shape_Sphericity`.
    feature_set
        Recipe that defines it: `clinical`; a network's by its label.
    family
        Kind of the recipe: clinical, size, radiomics, embedding, trained, table.
    type
        `number`; or `category`, one of `categories`.
    unit
        Of a number, where the study tells it.
    """

    name: str
    feature_set: str
    family: str
    type: Literal["number", "category"]
    categories: tuple[str, ...] = ()
    unit: str = ""

    @property
    def encoded(self) -> tuple[str, ...]:
        """Columns of the design matrix that it becomes.

        Examples
        --------
        >>> sex = InputColumn(
        ...     name="clinical.sex",
        ...     feature_set="clinical",
        ...     family="clinical",
        ...     type="category",
        ...     categories=("female", "unknown"),
        ... )
        >>> sex.encoded
        ('clinical.sex=female', 'clinical.sex=unknown')
        """
        if self.type == "number":
            return (self.name,)
        return tuple(f"{self.name}={category}" for category in self.categories)


def input_columns(recipes: Sequence[Recipe], needed: Collection[str]) -> tuple[InputColumn, ...]:
    """Return what has to be told so that the needed columns of the design matrix can be made.

    Parameters
    ----------
    needed
        `recipe.column`, or `recipe.column=category`.
    """
    wanted = set(needed)
    every = (column for recipe in recipes for column in _columns_of(recipe))
    return tuple(column for column in every if wanted & set(column.encoded))


def _columns_of(recipe: Recipe) -> Iterator[InputColumn]:
    for column, kind in zip(recipe.columns, recipe.column_types, strict=True):
        is_text = kind == "text"
        yield InputColumn(
            name=f"{told_name(recipe)}.{column}",
            feature_set=told_name(recipe),
            family=recipe.kind,
            type="category" if is_text else "number",
            categories=vocabulary_of(recipe, column) if is_text else (),
            unit=_unit(recipe, column),
        )


def _unit(recipe: Recipe, column: str) -> str:
    variables = recipe.parameters.get("variables")
    declared = variables.get(column) if isinstance(variables, dict) else None
    unit = declared.get("unit") if isinstance(declared, dict) else None
    # A recipe's parameters are JSON; the extractor wrote a text.
    return cast("str", unit or "")
