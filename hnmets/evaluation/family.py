"""Many comparisons: the pre-registered ones are corrected together, the others only explore."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hnmets.domain.errors import InvalidDataError


class Standing(StrEnum):
    """Whether a comparison was announced before the data were looked at."""

    CONFIRMATORY = "confirmatory"
    EXPLORATORY = "exploratory"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One comparison after the correction.

    Parameters
    ----------
    adjusted_p
        Holm's p value; None for what is exploratory or not estimable.
    significant
        Whether the adjusted p value is at or below the level; None where there is none.
    """

    name: str
    standing: Standing
    p_value: float | None
    adjusted_p: float | None
    significant: bool | None


def judge(
    p_values: Mapping[str, float | None], family: Sequence[str], *, level: float = 0.05
) -> tuple[Verdict, ...]:
    """Correct the pre-registered family after Holm; mark all others exploratory.

    Parameters
    ----------
    p_values
        By the comparison's name, in the order of the result; None where not estimable, which
        still counts as a member: leaving it out would make the others look better.
    family
        Names that were registered beforehand.

    Raises
    ------
    InvalidDataError
        If a registered comparison was not made, or a p value is none.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6:65-70, https://www.jstor.org/stable/4615733.
    """
    if missing := [name for name in family if name not in p_values]:
        raise InvalidDataError(f"registered but not compared: {', '.join(missing)}").with_note(
            "Run them, or the correction is smaller than the one that was promised."
        )
    if wrong := [name for name, p in p_values.items() if p is not None and not 0 <= p <= 1]:
        raise InvalidDataError(f"not a p value: {wrong[0]} = {p_values[wrong[0]]}")
    adjusted = _holm({name: p_values[name] for name in family})
    return tuple(
        Verdict(
            name=name,
            standing=Standing.CONFIRMATORY if name in adjusted else Standing.EXPLORATORY,
            p_value=p_value,
            adjusted_p=(found := adjusted.get(name)),
            significant=None if found is None else found <= level,
        )
        for name, p_value in p_values.items()
    )


def _holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    rising = sorted(p_values, key=lambda name: _or_one(p_values[name]))
    adjusted: dict[str, float | None] = {}
    largest = 0.0
    for rank, name in enumerate(rising):
        p_value = p_values[name]
        largest = max(largest, min(1.0, (len(rising) - rank) * _or_one(p_value)))
        adjusted[name] = None if p_value is None else largest
    return adjusted


def _or_one(p_value: float | None) -> float:
    return 1.0 if p_value is None else p_value
