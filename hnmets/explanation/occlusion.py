"""Occlusion: how the log odds change when a region is taken out of the picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hnmets.explanation.asking import batch_of

# Channels of a crop behind the CT, by the region that they show.
MASK_CHANNELS: Mapping[str, int] = {"tumour": 1, "ring": 2}
# Width of the surrounding that stands in for a region, in voxels.
_SURROUNDING = 2


@dataclass(frozen=True, kw_only=True)
class Occlusion:
    """What a region adds to the log odds: above 0 it speaks for the event.

    Parameters
    ----------
    voxels
        Of the region in the crop; 0 where the crop does not reach it, and nothing changes.
    look
        Log odds minus those with the region's CT replaced; its mask is still shown.
    look_and_contour
        The same with its mask emptied as well; None for a region that has no channel.
    """

    region: str
    voxels: int
    look: float
    look_and_contour: float | None


def occlusion(
    network: nn.Module, crop: NDArray[np.float32], regions: Mapping[str, NDArray[np.bool_]]
) -> tuple[Occlusion, ...]:
    """Replace one region after the other by the mean of its surrounding.

    The mean of the two voxels around leaves no edge that training has not seen; air inside of
    a neck would be a finding of its own. An organ keeps the tumour inside it: what the tumour
    says is not the organ's.

    Parameters
    ----------
    network
        In evaluation mode; takes (B, channels, D, H, W), gives log odds (B,).
    crop
        float32 (channels, D, H, W): CT window, tumour mask, ring mask.
    regions
        bool (D, H, W) by name; `tumour` and `ring` are those of the crop's channels.
    """
    seen = batch_of(network, crop)
    tumour = seen[0, MASK_CHANNELS["tumour"]] > 0
    full = _log_odds(network, seen)

    def found() -> Iterable[Occlusion]:
        for name, mask in regions.items():
            place = torch.from_numpy(mask).to(seen.device)
            channel = MASK_CHANNELS.get(name)
            hidden = _without_look(seen, place if channel else place & ~tumour)
            yield Occlusion(
                region=name,
                voxels=int(mask.sum()),
                look=full - _log_odds(network, hidden),
                look_and_contour=(
                    full - _log_odds(network, _without_mask(hidden, channel)) if channel else None
                ),
            )

    return tuple(found())


def _log_odds(network: nn.Module, seen: Tensor) -> float:
    with torch.no_grad():
        return float(network(seen)[0])


def _without_look(seen: Tensor, place: Tensor) -> Tensor:
    """Return the crop with the CT in a place replaced by the mean of what surrounds it."""
    around = _dilated(place) & ~place
    hidden = seen.clone()
    if place.any():
        # Nothing surrounds a region that fills the crop: then there is air.
        hidden[0, 0][place] = seen[0, 0][around].mean() if around.any() else 0.0
    return hidden


def _without_mask(seen: Tensor, channel: int) -> Tensor:
    hidden = seen.clone()
    hidden[0, channel] = 0.0
    return hidden


def _dilated(place: Tensor) -> Tensor:
    width = 2 * _SURROUNDING + 1
    grown = functional.max_pool3d(place[None, None].float(), width, stride=1, padding=_SURROUNDING)
    return grown[0, 0] > 0
