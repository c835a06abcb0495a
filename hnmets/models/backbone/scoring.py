"""What a classifier says of cases, and how good that is."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hnmets.models.backbone.crops import Crops
from hnmets.networks.classifier import Classifier


@torch.no_grad()
def log_odds(classifier: Classifier, crops: Crops, cases: Tensor, *, at_once: int) -> Tensor:
    """Return the log odds of the event: float32 (cases,).

    Parameters
    ----------
    classifier
        In evaluation mode.
    cases
        int64, places among the crops, on their device.
    at_once
        Most cases that go through together.
    """
    return torch.cat(
        [classifier(crops.batch(part)).float() for part in torch.split(cases, at_once)]
    )


def auc(scores: NDArray[np.float32], outcome: NDArray[np.bool_]) -> float | None:
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
