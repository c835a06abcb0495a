"""How a trial is asked for a setting; a decision is no question."""

from typing import TYPE_CHECKING, TypeVar

from hnmets.tuning.space import Numbers, Range

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Param = str | int | float
Item = TypeVar("Item", bound=str | int | float)


def one(trial: "BaseTrial", name: str, choices: tuple[Item, ...]) -> Item:
    """Ask for one of several."""
    if len(choices) == 1:
        return choices[0]
    return choices[choices.index(trial.suggest_categorical(name, choices))]


def is_among(value: object, choices: Numbers | tuple[object, ...]) -> bool:
    """Tell whether a setting can be chosen."""
    if isinstance(choices, Range):
        return isinstance(value, int | float) and choices.low <= value <= choices.high
    return value in choices


def number(trial: "BaseTrial", name: str, numbers: Numbers) -> float:
    """Ask for one of several numbers, or for one of a range."""
    if isinstance(numbers, Range):
        return trial.suggest_float(name, numbers.low, numbers.high, log=numbers.log)
    return one(trial, name, numbers)
