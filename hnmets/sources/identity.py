"""Who is who: ids that are one by mistake or two by mistake."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from hnmets.domain.errors import CaseError, Code

_LONGEST_ID = 200


def spelling_key(text: str) -> str:
    """Return what is left of an id without case, blanks, leading zeros and Unicode form.

    Examples
    --------
    >>> spelling_key("HN-007") == spelling_key("hn - 7")
    True
    >>> spelling_key("HN-070") == spelling_key("HN-7")
    False
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(
        letter
        for letter in folded
        if not letter.isspace() and unicodedata.category(letter) not in {"Cf", "Cc"}
    )
    # What the blanks kept apart may compose now.
    return re.sub(r"(?<!\d)0+(?=\d)", "", unicodedata.normalize("NFKC", visible))


def look_alikes(ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return, for each id that another one resembles, all spellings of the group.

    Examples
    --------
    >>> look_alikes(["7", "007", "8"])
    {'007': ('007', '7'), '7': ('007', '7')}
    """
    groups: dict[str, set[str]] = defaultdict(set)
    for text in ids:
        groups[spelling_key(text)].add(text)
    alike = {
        text: tuple(sorted(group)) for group in groups.values() if len(group) > 1 for text in group
    }
    return dict(sorted(alike.items()))


def check_id(text: str, what: str = "case") -> None:
    """Check that an id can name a case and its files.

    Raises
    ------
    CaseError
        E_CASE_ID for an id that is empty, too long or holds characters that names cannot;
        E_PATH for one that leads out of its folder.
    """
    if not text:
        raise CaseError(Code.CASE_ID, f"the {what} id is empty")
    if text.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", text):
        raise CaseError(Code.PATH_OUTSIDE, f"{what} id '{text}' leads out of the data folder")
    if "/" in text or "\\" in text or text == ".":
        raise CaseError(Code.CASE_ID, f"{what} id '{text}' cannot be part of a file name")
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise CaseError(Code.CASE_ID, f"{what} id {text!r} holds a control character")
    if len(text) > _LONGEST_ID:
        raise CaseError(Code.CASE_ID, f"{what} id of {len(text)} characters starts '{text[:30]}'")
