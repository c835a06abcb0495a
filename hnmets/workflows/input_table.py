"""What a registered model has to be told, read from the store."""

from collections.abc import Sequence

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot
from hnmets.domain.errors import InvalidDataError
from hnmets.extractors.trained_embedding import KIND as TRAINED
from hnmets.registry.columns import input_columns
from hnmets.registry.errors import UnknownCaseError
from hnmets.registry.inputs import InputTable, Value
from hnmets.registry.package import Package, RecipeUsed


def stored_inputs(
    package: Package, snapshot: Snapshot, case_ids: Sequence[str], *, elsewhere: bool = False
) -> InputTable:
    """Return the values of cases, by the very recipes that the model was fitted on.

    Parameters
    ----------
    elsewhere
        Whether the store is another study's: it declares clinical variables of its own, which
        are taken by their names, and one that it does not have is not known of anybody.

    Raises
    ------
    UnknownCaseError
        If the store has nothing of a case.
    InvalidDataError
        If the store has no rows of a recipe: values of another one are other values.
    """
    known = set(snapshot.case_ids)
    for place, case_id in enumerate(case_ids):
        if case_id not in known:
            raise UnknownCaseError(case_id, place=place)
    recipes = [_recipe(snapshot, used, elsewhere=elsewhere) for used in package.recipes]
    if elsewhere:
        _require_units(package, recipes)
    common = [recipe for recipe in recipes if recipe.label not in package.networks]
    columns = _columns(snapshot, common, case_ids)
    # Networks of one backbone have columns of one name: one matrix holds one of them.
    for network in (recipe for recipe in recipes if recipe.label in package.networks):
        own = _columns(snapshot, [network], case_ids)
        columns |= {network.label + n.removeprefix(network.name): v for n, v in own.items()}
    nothing: list[Value] = [None] * len(case_ids)
    return InputTable(
        case_ids=tuple(case_ids),
        columns={each.name: columns.get(each.name, nothing) for each in package.columns},
    )


def _columns(
    snapshot: Snapshot, recipes: Sequence[Recipe], case_ids: Sequence[str]
) -> dict[str, list[Value]]:
    """Return the values of cases by `recipe.column`; None for a case that a recipe lacks."""
    if not recipes:
        return {}
    matrix = snapshot.matrix([recipe.fingerprint for recipe in recipes], complete=False)
    row_of = {case_id: row for row, case_id in enumerate(matrix.case_ids)}
    rows = [row_of.get(case_id) for case_id in case_ids]
    by_name: dict[str, Sequence[Value]] = dict(matrix.text)
    by_name |= {name: matrix.values[:, n].tolist() for n, name in enumerate(matrix.columns)}
    return {
        name: [None if row is None else values[row] for row in rows]
        for name, values in by_name.items()
    }


def _recipe(snapshot: Snapshot, used: RecipeUsed, *, elsewhere: bool) -> Recipe:
    by_name = elsewhere and used.kind == "clinical"
    for recipe in snapshot.recipes:
        if recipe.fingerprint == used.fingerprint or (by_name and recipe.name == used.name):
            return recipe
    others = ", ".join(r.label for r in snapshot.recipes if r.name == used.name) or "nothing"
    raise InvalidDataError(
        f"the model was fitted on {used.label}; of {used.name} the store has {others}"
    ).with_note(
        "The backbone was trained anew: register the rung again, or `hnmets predict --image`."
        if used.kind == TRAINED and not elsewhere
        else "Build the features with the settings and libraries of the model's study."
    )


def _require_units(package: Package, recipes: Sequence[Recipe]) -> None:
    """Refuse years where the model was fitted on months.

    Raises
    ------
    InvalidDataError
        If a variable of one name has two units.
    """
    wanted = {column.name: column.unit for column in package.columns}
    for column in input_columns(recipes, wanted):
        if column.unit != wanted[column.name]:
            raise InvalidDataError(
                f"'{column.name}' is in '{column.unit}', the model was fitted on "
                f"'{wanted[column.name]}'"
            ).with_note("Give the variable the model's unit in [clinical] of the study file.")
