"""The exponential moving average of a classifier's weights."""

import copy

import torch

from hnmets.networks.classifier import Classifier


class Average:
    """A classifier whose weights and running statistics are averages over the steps.

    Parameters
    ----------
    classifier
        Where the average starts.
    decay
        Share of the average that a step keeps, 0 to below 1. The first steps keep less, so
        that it does not lean on the initial weights.

    Attributes
    ----------
    classifier
        In evaluation mode.
    """

    def __init__(self, classifier: Classifier, *, decay: float) -> None:
        self.decay = decay
        self.classifier = copy.deepcopy(classifier).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, classifier: Classifier, *, step: int) -> None:
        """Take in the state of the classifier after a step, counted from 0."""
        kept = min(self.decay, (step + 1) / (step + 10))
        moved = classifier.state_dict()
        for name, tensor in self.classifier.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(moved[name], 1 - kept)
            else:
                tensor.copy_(moved[name])
