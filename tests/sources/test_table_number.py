"""A decimal comma is understood where it is one, and never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.sources.number import decimal_sign, parse_number, why_not


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_is_read_back_with_either_sign(number: float) -> None:
    assert parse_number(repr(number)) == number
    assert parse_number(repr(number).replace(".", ","), ",") == number


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        (["62,5", "70"], ","),
        (["62.5", "70"], "."),
        (["1,234", "2,500"], "."),  # could be thousands
        (["1,234", "0,5"], ","),  # the second cannot
        (["1,5", "1.5"], "."),
        ([], "."),
    ],
)
def test_the_whole_column_tells_the_decimal_sign(column: list[str], sign: str) -> None:
    assert decimal_sign(column) == sign


@pytest.mark.parametrize(
    "text", ["", "62 y", "1.234,5", "nan", "inf", "1e999", "٣", "--1", "0x10", "TBD"]
)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert parse_number(text) is None


def test_an_ambiguous_comma_asks_for_the_setting() -> None:
    assert why_not("1,234") == "decimal comma or thousands? set `decimal`"
    assert why_not("TBD") == "not a number"
