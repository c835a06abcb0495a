"""What a classifier says of cases, and how good that is."""

import torch
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
