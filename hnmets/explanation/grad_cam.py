"""Grad-CAM: which places of the last feature maps speak for the event, and which against it."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hnmets.explanation.asking import batch_of
from hnmets.networks.classifier import Classifier


@dataclass(frozen=True, kw_only=True, eq=False)
class GradCam:
    """A coarse map of the log odds.

    Parameters
    ----------
    map
        float64 (D, H, W), the maps' places interpolated to the crop: above 0 speaks for the
        event, below 0 against it. It sums to the log odds without the head's bias where the
        crop's edge is a multiple of the places'.
    places
        Places of the feature maps along (D, H, W).
    """

    map: NDArray[np.float64]
    places: tuple[int, int, int]

    @property
    def tells_where(self) -> bool:
        """Whether there is more than one place to tell apart."""
        return math.prod(self.places) > 1


def grad_cam(classifier: Classifier, crop: NDArray[np.float32]) -> GradCam:
    """Weight the features of each place by their gradient and add them up.

    The features are those behind the encoder's normalisation, of which the embedding is the
    mean: in front of it the method does not work, because a layer norm ignores a token's scale
    and gradient times token is 0 everywhere. Negative values stay, unlike in the original:
    log odds have two sides.

    Parameters
    ----------
    classifier
        In evaluation mode.
    crop
        float32 (channels, D, H, W).

    References
    ----------
    Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74. With a linear head it is the class
    activation map of Zhou et al. 2016, doi:10.1109/CVPR.2016.319.
    """
    with torch.no_grad():
        maps = classifier.encoder.maps(batch_of(classifier, crop))
        features = _by_place(classifier, maps)
    features.requires_grad_()
    log_odds = classifier.from_embedding(features.mean(dim=0, keepdim=True))
    (gradient,) = torch.autograd.grad(log_odds.sum(), features)
    # The embedding is a mean: the summed gradient is that of the embedding itself.
    of_place = features.detach() @ gradient.sum(dim=0)
    coarse = of_place.reshape(1, 1, *maps.shape[2:]) / math.prod(crop.shape[1:])
    fine = functional.interpolate(
        coarse.double(), size=crop.shape[1:], mode="trilinear", align_corners=False
    )
    d, h, w = maps.shape[2:]
    return GradCam(map=fine[0, 0].cpu().numpy(), places=(d, h, w))


def _by_place(classifier: Classifier, maps: Tensor) -> Tensor:
    """Return the embedding of every place alone, (places, embedding_size)."""
    places = maps[0].flatten(1).t()
    return classifier.encoder.pooled(places[:, :, None, None, None])
