"""Ids that look alike are noticed, ids that cannot name a file are refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.identity import check_id, look_alikes, spelling_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("007", "7"), ("HN-007", "hn-7"), ("HN 1", "HN1"), ("HN-1", "ＨＮ-1"), ("Bü", "bu\u0308"),
        ("A\u200b1", "A1"), ("A\u00a01", "A1"), ("STRASSE", "straße"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_id_look_alike(one: str, other: str) -> None:
    assert look_alikes([one, other, "else"]) == {
        text: tuple(sorted([one, other])) for text in sorted([one, other])
    }


@pytest.mark.parametrize(
    ("one", "other"), [("7", "70"), ("HN-1", "HN-2"), ("A-1", "A_1"), ("0", "00x")]
)
def test_different_ids_do_not(one: str, other: str) -> None:
    assert look_alikes([one, other]) == {}


def test_the_same_id_twice_is_no_look_alike() -> None:
    assert look_alikes(["A", "A"]) == {}


@given(st.text())
def test_the_key_ignores_unicode_form_and_blanks_around(text: str) -> None:
    assert spelling_key(unicodedata.normalize("NFD", text)) == spelling_key(text)
    assert spelling_key(f"\u00a0{text} ") == spelling_key(text)


@pytest.mark.parametrize("text", ["HN-1", "Müller 3", "患者1", "a;drop table", "x" * 200, "a..b"])
def test_ordinary_and_odd_ids_pass(text: str) -> None:
    check_id(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.CASE_ID),
        (".", Code.CASE_ID),
        ("2019/12", Code.CASE_ID),
        ("a\tb", Code.CASE_ID),
        ("x" * 201, Code.CASE_ID),
        ("../../x", Code.PATH_OUTSIDE),
        ("/etc/passwd", Code.PATH_OUTSIDE),
        ("..\\x", Code.PATH_OUTSIDE),
        ("..", Code.PATH_OUTSIDE),
    ],
)
def test_an_id_that_cannot_name_a_file_is_refused(text: str, code: Code) -> None:
    with pytest.raises(CaseError) as caught:
        check_id(text)
    assert caught.value.code == code
