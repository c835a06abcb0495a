"""The arrays of one case while it is being drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.sources.synthetic.grid import Grid

AIR_HU = -1000.0
GTV_TUMOUR, GTV_NODES = 1, 2


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """Drawn on in place by anatomy, nodes and tumour, in this order.

    Parameters
    ----------
    hu
        float32 (D, H, W), without noise.
    organs
        uint8 (D, H, W), labels of `Organ`, 0 outside the body.
    gtv
        uint8 (D, H, W): 1 the primary tumour, 2 lymph nodes.
    """

    grid: Grid
    hu: NDArray[np.float32]
    organs: NDArray[np.uint8]
    gtv: NDArray[np.uint8]

    @classmethod
    def empty(cls, grid: Grid) -> "Canvas":
        """Return nothing but air."""
        return cls(
            grid=grid,
            hu=np.full(grid.shape, AIR_HU, dtype=np.float32),
            organs=np.zeros(grid.shape, dtype=np.uint8),
            gtv=np.zeros(grid.shape, dtype=np.uint8),
        )
