"""Numbers as tables write them: decimal point or comma, never a guess between them."""

import math
import re
from collections.abc import Iterable
from typing import Literal

DecimalSign = Literal[".", ","]

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WITH_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?")
_WITH_POINT = re.compile(r"[+-]?[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?")
# 1,234 is one thousand or one and a bit; only its neighbours can tell.
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


def decimal_sign(texts: Iterable[str]) -> DecimalSign:
    """Return the decimal sign that a column uses.

    A comma counts only where it cannot separate thousands, and where it is more common than
    the point.

    Examples
    --------
    >>> decimal_sign(["62,5", "70"]), decimal_sign(["1,234", "2,500"]), decimal_sign(["6.5"])
    (',', '.', '.')
    """
    commas = points = 0
    for text in texts:
        commas += bool(_WITH_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text))
        points += bool(_WITH_POINT.fullmatch(text))
    return "," if commas > points else "."


def parse_number(text: str, sign: DecimalSign = ".") -> float | None:
    """Return the number, or None where the text is no finite number with this decimal sign.

    Examples
    --------
    >>> parse_number("62,5", ","), parse_number("1.5", ","), parse_number("1,5"), parse_number("7")
    (62.5, None, None, 7.0)
    """
    if sign == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def why_not(text: str) -> str:
    """Return in words why a text is no number.

    Examples
    --------
    >>> why_not("1,234")
    'decimal comma or thousands? set `decimal`'
    """
    if re.fullmatch(r"[+-]?[0-9]+([.,][0-9]+)+", text):
        return "decimal comma or thousands? set `decimal`"
    return "not a number"
