"""The crops of all cases, resident on the device that trains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hnmets.domain.variant import Variant
from hnmets.models.backbone.augmentation import Placement

if TYPE_CHECKING:
    from hnmets.imaging.crop import Crop

_TUMOUR, _RING = 1, 2
# torch indexes int16 on every device, uint16 on few: levels are kept this much lower.
_OFFSET = 32768
_STEPS = 65535


@dataclass(frozen=True, kw_only=True, eq=False)
class Crops:
    """What a network sees of each case, in 3 bytes per voxel.

    Parameters
    ----------
    ct
        int16 (N, D, H, W), a cube: the levels 0 to 65535 of the HU window, less 32768.
    masks
        uint8 (N, D, H, W): 1 where the tumour is, plus 2 where the ring is.
    variant
        What the network may see of it, as in `Embedding`.
    """

    ct: Tensor
    masks: Tensor
    variant: Variant = "both"

    def __len__(self) -> int:
        return len(self.ct)

    @property
    def edge(self) -> int:
        """Edge of the cube, in voxels."""
        return int(self.ct.shape[-1])

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.ct.device

    def batch(self, cases: Tensor, placement: Placement | None = None) -> Tensor:
        """Return the network's input of some cases, to the bit that of `network_input`.

        Parameters
        ----------
        cases
            int64 (B,), on the device of the crops.
        placement
            Where each voxel comes from; by default from where it is.

        Returns
        -------
        Tensor
            float32 (B, 3, D, H, W): CT, tumour, ring, 0 to 1.
        """
        at = (cases,) if placement is None else placement.index(cases)
        ct, masks = (self.ct[at].float() + _OFFSET) / _STEPS, self.masks[at]
        if self.variant != "both":
            masks = masks & (_TUMOUR if self.variant == "tumour" else _RING)
            ct *= masks > 0
        return torch.stack(
            [
                ct,
                (masks & _TUMOUR).float(),
                (masks & _RING).float() / _RING,
            ],
            dim=1,
        )


def resident(crops: Sequence["Crop"], *, device: str, variant: Variant = "both") -> Crops:
    """Put crops on a device.

    Parameters
    ----------
    crops
        Of one size.
    variant
        What the network may see, as in `Embedding`.
    """
    shape = (len(crops), *crops[0].ct.shape)
    ct, masks = np.zeros(shape, np.uint16), np.zeros(shape, np.uint8)
    for i, crop in enumerate(crops):
        masks[i] = _TUMOUR * crop.tumour.astype(np.uint8) + _RING * crop.ring.astype(np.uint8)
        ct[i] = crop.ct
    levels = (ct.astype(np.int32) - _OFFSET).astype(np.int16)
    return Crops(
        ct=torch.from_numpy(levels).to(device),
        masks=torch.from_numpy(masks).to(device),
        variant=variant,
    )
