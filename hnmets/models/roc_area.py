"""How well scores tell patients with the event from those without, while something is trained."""

import numpy as np
from numpy.typing import NDArray


def auc(scores: NDArray[np.floating], outcome: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve; None where there is one class alone.

    Examples
    --------
    >>> auc(np.float32([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    with_event, without = scores[outcome][:, None], scores[~outcome][None, :]
    if not with_event.size or not without.size:
        return None
    return float(np.mean(np.where(with_event == without, 0.5, with_event > without)))
