"""How numbers are written, in tables and figures alike."""


def decimal(value: float, digits: int = 3) -> str:
    """Write a number with a true minus and no negative zero.

    Examples
    --------
    >>> decimal(0.80349), decimal(-0.0321), decimal(-0.0001), decimal(12, 0)
    ('0.803', '−0.032', '0.000', '12')
    """
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def percent(share: float) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.134), percent(0.004), percent(0)
    ('13 %', '0.4 %', '0 %')
    """
    return f"{100 * share:.1f} %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def p_text(p_value: float) -> str:
    """Write a p value; below a thousandth the digits mean nothing.

    Examples
    --------
    >>> p_text(0.0312), p_text(0.00001)
    ('0.031', '< 0.001')
    """
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
