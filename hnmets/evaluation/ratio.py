"""Division that marks what is undefined instead of warning about it."""

import numpy as np
from numpy.typing import NDArray


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide elementwise; NaN where there is nothing to divide by.

    Parameters
    ----------
    above, below
        Of one shape, or shapes that broadcast to that of `above`; `below` not negative.
    """
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
