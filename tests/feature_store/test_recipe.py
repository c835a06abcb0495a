import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.errors import InvalidRecipeError
from feature_store.recipe import Recipe

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(parameters=st.dictionaries(st.text(), json_values, max_size=4))
def test_the_order_of_settings_does_not_change_the_fingerprint(parameters: dict) -> None:
    backwards = dict(reversed(parameters.items()))
    one = Recipe(name="a", kind="k", columns=("v",), parameters=parameters)
    other = Recipe(name="a", kind="k", columns=("v",), parameters=backwards)
    assert one.fingerprint == other.fingerprint


@given(parameters=st.dictionaries(st.text(), json_values, max_size=4))
def test_a_recipe_read_from_its_text_is_the_same_recipe(parameters: dict) -> None:
    recipe = Recipe(
        name="a", kind="k", columns=("v", "w"), types=("text", "bool"), parameters=parameters
    )
    again = Recipe.from_canonical(recipe.canonical)
    assert again.fingerprint == recipe.fingerprint
    assert again.column_types == ("text", "bool")
    assert recipe.fingerprint == hashlib.sha256(recipe.canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b"},
        {"kind": "b"},
        {"version": 2},
        {"columns": ("w", "v")},
        {"types": "float"},
        {"parameters": {"x": 2}},
        {"libraries": {"l": "2"}},
    ],
)
def test_any_change_is_another_fingerprint(change: dict) -> None:
    settings = {
        "name": "a",
        "kind": "k",
        "columns": ("v", "w"),
        "parameters": {"x": 1},
        "libraries": {"l": "1"},
    }
    assert Recipe(**settings).fingerprint != Recipe(**(settings | change)).fingerprint


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ((), "0 columns"),
        (("",), "not a usable name"),
        (("a\x00b",), "not a usable name"),
        (("a\nb",), "not a usable name"),
        (("\u202eabc",), "not a usable name"),
        (("case_id",), "belongs to the store"),
        (("Part",), "belongs to the store"),
        (("age", "Age"), "the same to SQL"),
    ],
)
def test_names_that_a_database_would_change_are_refused(
    columns: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(InvalidRecipeError, match=reason):
        Recipe(name="a", kind="k", columns=columns).check()


def test_as_many_types_as_columns() -> None:
    recipe = Recipe(name="a", kind="k", columns=("v", "w"), types=("text",))
    with pytest.raises(InvalidRecipeError, match="2 columns, 1 types"):
        recipe.check()
