"""The HU window that a network sees, in a form that is small to keep."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 65535


def quantised(hu: NDArray[Any], window_hu: tuple[float, float]) -> NDArray[np.uint16]:
    """Clip to a window and spread it over 16 bits.

    65536 levels err by less than 1e-5 of the window; 256 levels would be 2 HU wide here.

    Examples
    --------
    >>> quantised(np.array([-1000.0, -160.0, 40.0, 240.0, 3071.0]), (-160.0, 240.0)).tolist()
    [0, 0, 32768, 65535, 65535]
    """
    low, high = window_hu
    share = (np.clip(hu, low, high) - low) / (high - low)
    levels: NDArray[np.uint16] = np.rint(share * STEPS).astype(np.uint16)
    return levels


def unit(levels: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the window as 0 to 1, float32."""
    return levels.astype(np.float32) / np.float32(STEPS)
