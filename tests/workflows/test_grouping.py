"""Groups of patients: bands as declared, one group per patient, nothing made up from free text."""

import pytest

from hnmets.sources.clinical import ClinicalRule
from hnmets.workflows.grouping import SEVERAL, age_band, groups_of, order_of, why_no_groups
from tests.builders_rows import case

SEX = ClinicalRule(column="Sex", type="category", values={"male": ("M",), "female": ("F",)})


@pytest.mark.parametrize(
    ("years", "band"),
    [
        (49.99, "under 50"),
        (50.0, "50 to 64"),
        (64.99, "50 to 64"),
        (65.0, "65 to 74"),
        (74.99, "65 to 74"),
        (75.0, "75 and over"),
    ],
)
def test_a_band_begins_with_the_completed_year(years: float, band: str) -> None:
    assert age_band(years) == band


def test_every_patient_has_one_group_whatever_the_order_of_the_cases() -> None:
    cases = [
        case("b", patient="P2", sex=None),
        case("c", patient="P1", sex="male"),
        case("a1", patient="P3", sex="female"),
        case("a2", patient="P3", sex="female"),
    ]
    assert groups_of("sex", cases, ["P1", "P2", "P3"]) == ["male", None, "female"]
    assert groups_of("sex", cases[::-1], ["P3", "P1", "P2"]) == ["female", "male", None]


def test_a_case_that_does_not_tell_is_ignored_and_a_contradiction_is_not() -> None:
    cases = [
        case("a", patient="P1", sex="male"),
        case("b", patient="P1", sex=None),
        case("c", patient="P2", sex="male"),
        case("d", patient="P2", sex="female"),
    ]
    assert groups_of("sex", cases, ["P1", "P2"]) == ["male", SEVERAL]


def test_of_several_ages_the_first_counts() -> None:
    cases = [case("a", patient="P1", age=65.2), case("b", patient="P1", age=64.8)]
    assert groups_of("age", cases, ["P1"]) == ["50 to 64"]


def test_the_centre_is_that_of_the_cohort() -> None:
    cases = [case("a", centre="CHUM"), case("b")]
    assert groups_of("centre", cases, ["a", "b"], is_centre=True) == ["CHUM", None]


def test_groups_come_in_the_order_of_the_study_file() -> None:
    assert order_of(SEX) == ("male", "female", SEVERAL)
    assert order_of(ClinicalRule(column="HPV", type="boolean"))[:2] == ("false", "true")
    assert order_of(ClinicalRule(column="Age", type="number"))[0] == "under 50"


@pytest.mark.parametrize(
    ("name", "rule", "why"),
    [
        ("sex", SEX, ""),
        ("age", ClinicalRule(column="Age", type="number", unit="years"), ""),
        ("age", ClinicalRule(column="Age", type="number", unit="months"), "is a number"),
        ("volume", ClinicalRule(column="V", type="number"), "is a number"),
        ("seen", ClinicalRule(column="S", type="date"), "is a date"),
        ("note", ClinicalRule(column="N", type="category"), "whatever was written"),
    ],
)
def test_what_has_no_declared_groups_divides_nobody(
    name: str, rule: ClinicalRule, why: str
) -> None:
    found = why_no_groups(name, rule)
    assert (why in found) if why else (found == "")
