"""How the learning rate rises and falls."""

from math import cos, pi


def rate_share(step: int, *, steps: int, warm_up: float) -> float:
    """Return the share of the highest learning rate that a step is made at.

    Parameters
    ----------
    step
        Counted from 0.
    warm_up
        Share of all steps over which the rate rises in a straight line; then it falls in half
        a cosine.

    Examples
    --------
    >>> [round(rate_share(step, steps=8, warm_up=0.5), 3) for step in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    rising = round(warm_up * steps)
    if step < rising:
        return (step + 1) / rising
    return (1 + cos(pi * (step - rising) / (steps - rising))) / 2
