"""What a registered model has to be told, read from the store."""

from collections.abc import Sequence

from feature_store.recipe import Recipe
from feature_store.snapshot import Snapshot
from hnmets.domain.errors import InvalidDataError, UsageError
from hnmets.registry.inputs import InputTable, Value
from hnmets.registry.package import Package


def stored_inputs(package: Package, snapshot: Snapshot, case_ids: Sequence[str]) -> InputTable:
    """Return the values of cases, by the very recipes that the model was fitted on.

    Raises
    ------
    UsageError
        If the store has nothing of a case.
    InvalidDataError
        If the store has no rows of a recipe: values of another one are other values.
    """
    known = set(snapshot.case_ids)
    if strangers := [case_id for case_id in case_ids if case_id not in known]:
        raise UsageError(f"the store has nothing of case {strangers[0]}").with_note(
            "Name cases of the study whose features were built: `hnmets features status`."
        )
    recipes = [_recipe(snapshot, used.fingerprint, used.label) for used in package.recipes]
    matrix = snapshot.matrix([recipe.fingerprint for recipe in recipes], complete=False)
    row_of = {case_id: row for row, case_id in enumerate(matrix.case_ids)}
    place_of = {name: place for place, name in enumerate(matrix.columns)}
    rows = [row_of.get(case_id) for case_id in case_ids]

    def column(name: str) -> list[Value]:
        if name in matrix.text:
            texts = matrix.text[name]
            return [None if row is None else texts[row] for row in rows]
        values = matrix.values[:, place_of[name]].tolist()
        return [None if row is None else values[row] for row in rows]

    return InputTable(
        case_ids=tuple(case_ids),
        columns={each.name: column(each.name) for each in package.columns},
    )


def _recipe(snapshot: Snapshot, fingerprint: str, label: str) -> Recipe:
    for recipe in snapshot.recipes:
        if recipe.fingerprint == fingerprint:
            return recipe
    name = label.partition("@")[0]
    others = ", ".join(r.label for r in snapshot.recipes if r.name == name) or "nothing"
    raise InvalidDataError(
        f"the model was fitted on {label}; of {name} the store has {others}"
    ).with_note("Build the features with the settings and libraries of the model's study.")
