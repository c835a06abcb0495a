"""Free texts of a header: what may be shown of them, word by word."""

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal

_TOKEN = re.compile(r"[a-z]+|[0-9]+|[^a-z0-9]+")
_LONGEST_NUMBER, _MOST_NUMBERS = 4, 2


Field = Literal["region", "device", "kernel"]


@cache
def words(field: Field) -> frozenset[str]:
    """Return the known words of a kind of field."""
    text = (files("hnmets.sources.dicom") / "vocabulary.toml").read_text(encoding="utf-8")
    return frozenset(str(tomllib.loads(text)[field]).split())


def words_of(text: str) -> str:
    """Return a name as rules compare it: no case, accents or signs, letters apart from digits.

    Examples
    --------
    >>> words_of("GTV-70_Réc"), words_of("GTVn  Li.")
    ('gtv 70 rec', 'gtvn li')
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W\d_]+|\d+", letters))


def shown_region(name: str) -> str:
    """Return a region's name with every word masked that is none of the field's.

    A region's name is free text, and now and then holds a person's.

    Examples
    --------
    >>> shown_region("GTV_70 old"), shown_region("GTV Meyer 12345678")
    ('GTV_70 old', 'GTV * *')
    """
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    parts = re.findall(r"[^\W\d_]+|\d+|[\W_]+", letters)
    numbers = [part for part in parts if part.isdigit()]
    many = len(numbers) > _MOST_NUMBERS
    return "".join(_shown(part, numbers_too=not many) for part in parts)[:64]


def _shown(part: str, *, numbers_too: bool) -> str:
    if part.isdecimal() and part.isascii():
        return part if numbers_too and len(part) <= _LONGEST_NUMBER else "*"
    if part[0].isalpha():
        return part if part.casefold() in words("region") else "*"
    return "".join(sign if sign in " _-+.()/" else "*" for sign in part)


def is_known(text: str, field: Field) -> bool:
    """Tell whether a text holds nothing but known words, and numbers of up to three digits.

    Examples
    --------
    >>> is_known("SOMATOM Definition AS", "device"), is_known("Room of Dr Meyer", "device")
    (True, False)
    """
    parts = _TOKEN.findall(text.casefold())
    return all(
        part in words(field) or (part.isdecimal() and len(part) <= 3) or not part[0].isalnum()
        for part in parts
    )
