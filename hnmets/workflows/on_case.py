"""How a workflow tells how far it is: a callback that the command line draws as a bar."""

from collections.abc import Callable

OnStep = Callable[[str], None]
"""Called with what is about to be done."""

OnCase = Callable[[str, int, int], None]
"""Called with the case just finished, how many are, and how many there are in all."""


def ignore(_case: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def say_nothing(_step: str) -> None:
    """Tell nobody what is about to be done."""
