"""What a caller gives: any order, nothing guessed, and no value in an error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.recipe import Recipe
from hnmets.registry.columns import InputColumn, input_columns
from hnmets.registry.errors import AbsentColumnsError, InputError
from hnmets.registry.inputs import InputTable, Value, inputs_of
from tests.builders_packages import COLUMNS, RECIPES, rows, table_of
from tests.builders_rows import CLINICAL

EVERY = input_columns(RECIPES, COLUMNS)
CANARY = "CANARY-7f3"


def table(**columns: list[Value]) -> InputTable:
    """One row; double underscores stand for the dots of a name."""
    told: dict[str, list[Value]] = {
        "clinical.age": [61.0],
        "clinical.sex": ["male"],
        "size.tumour.volume_ml": [12.5],
        "size.tumour.diameter_mm": [30],
    }
    told |= {name.replace("__", "."): values for name, values in columns.items()}
    return InputTable(case_ids=("A",), columns=told)


def test_a_row_becomes_the_columns_of_the_design_matrix() -> None:
    found = inputs_of(table(), EVERY, COLUMNS)
    np.testing.assert_array_equal(found.rows.values, [[61.0, 0, 1, 0, 12.5, 30]])
    assert found.rows.columns == COLUMNS
    assert found.rows.modalities == ("clinical",) * 4 + ("size.tumour",) * 2
    assert not found.absent.any()


def test_what_is_told_is_what_the_store_would_encode() -> None:
    of = rows(40)
    found = inputs_of(table_of(of, range(40)), EVERY, COLUMNS)
    np.testing.assert_array_equal(found.rows.values, of.values)


@given(order=st.permutations(range(4)))
def test_the_order_of_the_columns_and_foreign_ones_do_not_matter(order: list[int]) -> None:
    plain = table()
    names = list(plain.columns)
    shuffled = {names[place]: plain.columns[names[place]] for place in order}
    shuffled["outcome.event"] = [1]
    found = inputs_of(InputTable(case_ids=("A",), columns=shuffled), EVERY, COLUMNS)
    expected = inputs_of(plain, EVERY, COLUMNS)
    np.testing.assert_array_equal(found.rows.values, expected.rows.values)


@pytest.mark.parametrize("nothing", [None, float("nan"), ""])
def test_what_is_not_known_is_absent_and_never_zero(nothing: Value) -> None:
    found = inputs_of(table(clinical__age=[nothing], clinical__sex=[nothing]), EVERY, COLUMNS)
    np.testing.assert_array_equal(found.rows.values, [[np.nan, 0, 0, 1, 12.5, 30]])
    assert found.absent.tolist() == [[True, True, False, False]]


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("clinical__age", CANARY, "is no number"),
        ("clinical__age", True, "is no number"),
        ("clinical__age", float("inf"), "is not finite"),
        ("clinical__age", 10**400, "is not finite"),
        ("clinical__sex", CANARY, "is none of: female, male, unknown"),
        ("clinical__sex", 1.0, "is none of"),
    ],
)
def test_a_wrong_value_is_named_by_row_and_column_and_not_shown(
    column: str, value: Value, why: str
) -> None:
    with pytest.raises(InputError, match=why) as caught:
        inputs_of(table(**{column: [value]}), EVERY, COLUMNS)
    assert str(caught.value).startswith(f"row 1: '{column.replace('__', '.')}'")
    assert CANARY not in f"{caught.value!r} {vars(caught.value)}"


def test_half_a_feature_set_is_a_mistake_and_not_a_patient_without_it() -> None:
    columns = {k: v for k, v in table().columns.items() if k != "size.tumour.diameter_mm"}
    with pytest.raises(AbsentColumnsError, match=r"'size\.tumour\.diameter_mm' of size\.tumour"):
        inputs_of(InputTable(case_ids=("A",), columns=columns), EVERY, COLUMNS)


def test_a_feature_set_that_is_not_there_is_absent_from_every_row() -> None:
    columns = {k: v for k, v in table().columns.items() if k.startswith("clinical")}
    found = inputs_of(InputTable(case_ids=("A",), columns=columns), EVERY, COLUMNS)
    assert found.absent.tolist() == [[False, False, True, True]]
    assert np.isnan(found.rows.values[0, 4:]).all()


def test_only_what_is_needed_has_to_be_told() -> None:
    found = input_columns(RECIPES, ["size.tumour.volume_ml", "clinical.sex=male"])
    assert [column.name for column in found] == ["clinical.sex", "size.tumour.volume_ml"]
    assert found[0].categories == ("female", "male", "unknown")


def test_units_come_from_the_recipe() -> None:
    (age,) = input_columns([CLINICAL.recipe], ["clinical.age"])
    assert (age.unit, age.type, age.family) == ("years", "number", "clinical")
    plain = Recipe(name="size", kind="size", columns=("v",))
    assert input_columns([plain], ["size.v"]) == (
        InputColumn(name="size.v", feature_set="size", family="size", type="number"),
    )
