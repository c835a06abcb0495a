"""Text that is safe to print on a terminal and to use as a name."""

import unicodedata

# Control, surrogate, line and paragraph separators; format characters turn text around.
_UNSAFE = {"Cc", "Cs", "Zl", "Zp", "Cf"}


def is_plain(text: str) -> bool:
    r"""Tell whether a text has no character that could act on a terminal or a log.

    Examples
    --------
    >>> is_plain("HN-001 links"), is_plain("HN-001\n")
    (True, False)
    """
    if text.isascii():
        return text.isprintable()
    return not any(unicodedata.category(character) in _UNSAFE for character in text)


def escaped(text: str) -> str:
    r"""Write control characters out, so that a text stays on its line.

    Examples
    --------
    >>> print(escaped("GTV\x1b[31m\nERROR"))
    GTV\x1b[31m\nERROR
    """
    return "".join(
        character
        if unicodedata.category(character) not in _UNSAFE
        else character.encode("unicode_escape").decode()
        for character in text
    )
