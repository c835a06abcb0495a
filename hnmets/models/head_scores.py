"""What one trained head says of rows."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hnmets.models.head_layout import HeadLayout

Arrays = Mapping[str, NDArray[np.float32]]


def log_odds(
    weights: Arrays, inputs: NDArray[np.float32], layout: HeadLayout
) -> NDArray[np.float64]:
    """Return the log odds of one head, float64, shape (rows,)."""
    import torch

    from hnmets.models.head_forward import logits

    tensors = {name: torch.from_numpy(array)[None] for name, array in weights.items()}
    with torch.no_grad():
        found = logits(tensors, torch.from_numpy(inputs)[None], layout)
    return found[0].numpy().astype(np.float64)
