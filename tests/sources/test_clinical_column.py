"""Clinical cells mean what the study file says, and nothing else."""

import pytest

from hnmets.sources.clinical import ClinicalRule, Value, read_column
from hnmets.sources.dictionary import describe, doubts
from hnmets.sources.finding import Finding, Findings


def understand(rule: ClinicalRule, *texts: str) -> tuple[list[Value], tuple[Finding, ...]]:
    findings = Findings()
    values = read_column(rule, list(enumerate(texts, start=2)), findings)
    return values, findings.collected()


def number(**settings: object) -> ClinicalRule:
    return ClinicalRule(column="age", type="number", **settings)  # type: ignore[arg-type]


STAGE = ClinicalRule(
    column="stage",
    type="category",
    values={"IVA": ("Stade IVA", "Stage IVA"), "III": ("Stade III",)},
    missing=("N/A",),
)


def test_spellings_become_one_category() -> None:
    values, findings = understand(STAGE, "Stade IVA", "Stage IVA", "IVA", "Stade III", "N/A", "")
    assert values == ["IVA", "IVA", "IVA", "III", None, None]
    assert findings == ()


def test_an_unknown_spelling_is_missing_and_named_with_its_rows() -> None:
    values, findings = understand(STAGE, "StageII", "Stade III", "StageII", "stade III")
    assert values == [None, "III", None, None]
    first, second = findings
    assert (first.value, first.rows, first.count, first.done) == (
        "StageII",
        (2, 4),
        2,
        "taken as missing",
    )
    assert (second.value, second.rows) == ("stade III", (5,))
    assert first.problem == "not among the values of the column: IVA, III"
    assert first.code == "E_TABLE_VALUE"


def test_without_values_every_spelling_is_a_category() -> None:
    rule = ClinicalRule(column="sex", type="category")
    values, findings = understand(rule, "M", "F", "m")
    assert (values, findings) == (["M", "F", "m"], ())
    described = describe("sex", rule, ["M", "F", "m"], values)
    assert doubts(described, rule) == (
        "clinical.sex: 'M' and 'm' differ only by case or blanks; map them in `values`",
    )


def test_declared_codes_for_missing_are_missing_and_others_are_not_numbers() -> None:
    values, findings = understand(number(missing=("TBD", "99")), "62", "TBD", "99", "n.a.")
    assert values == [62.0, None, None, None]
    assert [(f.value, f.problem) for f in findings] == [("n.a.", "not a number")]


def test_an_undeclared_99_is_doubted() -> None:
    rule = number()
    texts = ["62", "99"]
    values, findings = understand(rule, *texts)
    assert (values, findings) == ([62.0, 99.0], ())
    assert doubts(describe("age", rule, texts, values), rule) == (
        "clinical.age: 99 looks like a code for missing; list it in `missing` if it is",
    )


def test_implausible_numbers_are_missing_and_say_which_bound_they_break() -> None:
    values, findings = understand(number(minimum=18, maximum=110), "17.9", "18", "110", "110.1")
    assert values == [None, 18.0, 110.0, None]
    assert [f.problem for f in findings] == ["below the minimum of 18", "above the maximum of 110"]


def test_a_column_with_decimal_commas_is_read_as_such() -> None:
    assert understand(number(), "62,5", "70,25", "1,234", "7")[0] == [62.5, 70.25, 1.234, 7.0]


def test_a_comma_that_may_separate_thousands_is_not_guessed() -> None:
    values, findings = understand(number(), "1,234", "2,500")
    assert values == [None, None]
    assert findings[0].problem == "decimal comma or thousands? set `decimal`"
    assert understand(number(decimal=","), "1,234", "2,500")[0] == [1.234, 2.5]


def test_booleans_take_the_usual_spellings_or_the_declared_ones() -> None:
    rule = ClinicalRule(column="x", type="boolean", missing=("N/A",))
    assert understand(rule, "1", "0", "yes", "false", "N/A")[0] == [
        "true",
        "false",
        "true",
        "false",
        None,
    ]
    german = ClinicalRule(column="x", type="boolean", values={"true": ("ja",), "false": ("nein",)})
    values, findings = understand(german, "ja", "nein", "1")
    assert values == ["true", "false", None]
    assert findings[0].value == "1"


def test_a_date_whose_day_and_month_could_swap_is_not_guessed() -> None:
    values, findings = understand(
        ClinicalRule(column="d", type="date"), "2020-03-04", "04/03/2020"
    )
    assert values == ["2020-03-04", None]
    assert "day or month first? set `format`" in findings[0].problem
    french = ClinicalRule(column="d", type="date", format="%d/%m/%Y")
    assert understand(french, "04/03/2020")[0] == ["2020-03-04"]
    assert understand(french, "04/13/2020")[0] == [None]


def test_a_date_is_no_predictor_even_at_baseline() -> None:
    rule = ClinicalRule(column="d", type="date", known_at="baseline")
    assert not rule.is_predictor
    assert describe("d", rule, [], []).note == "a date is no predictor"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"type": "number", "values": {"a": ()}}, "`values` are for categories"),
        ({"type": "boolean", "values": {"yes": ()}}, "`values` of a boolean"),
        ({"type": "category", "minimum": 1.0}, "are for numbers"),
        ({"type": "number", "format": "%Y"}, "`format` is for dates"),
        ({"type": "number", "minimum": 2.0, "maximum": 1.0}, "`minimum` is above `maximum`"),
        ({"type": "category", "values": {"a": ("x",), "b": ("x",)}}, "'x' means both a and b"),
        (
            {"type": "category", "values": {"a": ("x",)}, "missing": ("x",)},
            "'x' means both missing and a",
        ),
        ({"type": "category", "values": {"unknown": ("?",)}}, "`unknown` is no category"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ClinicalRule(column="c", **settings)  # type: ignore[arg-type]


def test_the_dictionary_counts_cases_spellings_and_missing() -> None:
    texts = ["Stade IVA", "Stage IVA", "N/A", "", "StageII", "Stade IVA"]
    values, _ = understand(STAGE, *texts)
    variable = describe("group_stage", STAGE, texts, values)
    assert (variable.known, variable.missing) == (3, 3)
    assert variable.missing_as == {"": 1, "N/A": 1, "StageII": 1}
    assert variable.categories == {"IVA": 3}
    assert variable.spellings == {"IVA": {"Stade IVA": 2, "Stage IVA": 1}}
    assert variable.translations == (
        ("Stade IVA", "IVA", 2),
        ("Stage IVA", "IVA", 1),
        ("N/A", "missing", 1),
        ("StageII", "missing", 1),
    )
    assert (variable.predictor, variable.note) == (False, "does not say known_at")


def test_the_dictionary_gives_the_range_of_a_number() -> None:
    rule = number(unit="years", known_at="baseline")
    texts = ["40", "60", "", "71"]
    variable = describe("age", rule, texts, understand(rule, *texts)[0])
    assert (variable.minimum, variable.median, variable.maximum) == (40.0, 60.0, 71.0)
    assert (variable.known, variable.missing, variable.predictor) == (3, 1, True)
