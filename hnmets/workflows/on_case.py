"""How a workflow tells how far it is: a callback that the command line draws as a bar."""

from collections.abc import Callable

OnCase = Callable[[str, int, int], None]
"""Called with the case just finished, how many are, and how many there are in all."""


def ignore(_case: str, _done: int, _total: int) -> None:
    """Tell nobody."""
