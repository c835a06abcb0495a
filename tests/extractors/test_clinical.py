from dataclasses import replace

import pytest

from hnmets.domain.case import Case
from hnmets.domain.errors import CaseError, Code
from hnmets.extractors.clinical import Clinical, ClinicalVariable

AGE = ClinicalVariable(name="age", type="number", unit="years")
SEX = ClinicalVariable(name="sex", type="category", categories=("female", "male"))
CLINICAL = Clinical(variables=(AGE, SEX))


def case(**clinical: float | str | None) -> Case:
    return Case(case_id="P01", patient_id="P01", clinical=clinical)


def test_values_come_in_the_order_of_the_variables() -> None:
    assert CLINICAL.values(case(sex="male", age=61, weight=80.0)) == (61.0, "male")
    assert CLINICAL.recipe.columns == ("age", "sex")
    assert CLINICAL.recipe.types == ("double", "text")


def test_an_unknown_category_is_a_category_and_a_missing_number_stays_missing() -> None:
    row = CLINICAL.row(case(age=None, sex=None))
    assert row.values == (None, "unknown")
    assert row.reasons == {"age": "not recorded"}


def test_a_variable_that_the_table_does_not_have_is_unknown() -> None:
    assert CLINICAL.values(case()) == (None, "unknown")


def test_age_sex_smoking_and_alcohol_are_the_default() -> None:
    assert Clinical().recipe.columns == ("age", "sex", "smoking", "alcohol")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"age": "sixty"}, "'age' is 'sixty', expected a number"),
        ({"age": float("nan")}, "'age' is nan, expected a number"),
        ({"sex": "F"}, "'sex' is 'F', expected one of: female, male"),
        ({"sex": 1.0}, "'sex' is 1.0, expected one of: female, male"),
    ],
)
def test_a_value_of_another_kind_is_named(value: dict[str, float | str], message: str) -> None:
    with pytest.raises(CaseError, match=message) as caught:
        CLINICAL.values(case(**value))
    assert caught.value.code is Code.TABLE_VALUE


def test_a_category_without_a_list_takes_any_text() -> None:
    subsite = Clinical(variables=(ClinicalVariable(name="subsite", type="category"),))
    assert subsite.values(case(subsite="base of tongue")) == ("base of tongue",)


def test_the_row_belongs_to_its_recipe_and_its_values() -> None:
    first = CLINICAL.row(case(age=61, sex="male"))
    assert first.fingerprint == CLINICAL.recipe.fingerprint
    assert first.input_digest == CLINICAL.row(case(age=61.0, sex="male")).input_digest
    assert first.input_digest != CLINICAL.row(case(age=62, sex="male")).input_digest
    assert first.input_digest != CLINICAL.row(case(age=61)).input_digest


def test_other_variables_categories_or_units_are_another_recipe() -> None:
    others = [
        Clinical(variables=(SEX, AGE)),
        Clinical(variables=(AGE,)),
        Clinical(variables=(AGE, ClinicalVariable(name="sex", type="category"))),
        Clinical(variables=(ClinicalVariable(name="age", type="number", unit="months"), SEX)),
    ]
    assert len({clinical.recipe.fingerprint for clinical in (CLINICAL, *others)}) == 5


def test_a_value_that_was_not_understood_is_not_said_to_be_absent() -> None:
    absent = case(age=None, sex=None)
    odd = replace(absent, not_understood=frozenset({"age", "sex", "weight"}))
    row = CLINICAL.row(odd)
    assert row.values == (None, "unknown")
    assert row.reasons == {"age": "recorded, but not understood (see `hnmets cohort check`)"}
    assert row.flags == {"unknown": "sex", "not_understood": "sex"}
    assert row.input_digest != CLINICAL.row(absent).input_digest
