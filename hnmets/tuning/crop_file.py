"""The crops of a search of backbones, and who is who among them: arrays, read with numpy alone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hnmets.models.backbone.crops import Crops
from hnmets.tuning.arrays import write_arrays

_CROPS = "crops.npz"


@dataclass(frozen=True, kw_only=True, eq=False)
class Roles:
    """Whom the networks of a study learn from, are stopped by, and are scored on.

    Parameters
    ----------
    fitting, stopping, scored
        int64, places among the crops.
    """

    fitting: NDArray[np.int64]
    stopping: NDArray[np.int64]
    scored: NDArray[np.int64]


def save_crops(folder: Path, crops: Crops, outcome: NDArray[np.bool_]) -> None:
    """Write the crops of all cases with their outcome; nothing in the file names a patient."""
    ct, masks = crops.ct.cpu().numpy(), crops.masks.cpu().numpy()
    write_arrays(folder / _CROPS, {"ct": ct, "masks": masks, "outcome": outcome})


def has_crops(folder: Path) -> bool:
    """Tell whether they are there."""
    return (folder / _CROPS).exists()


def load_crops(folder: Path, device: str) -> tuple[Crops, NDArray[np.bool_]]:
    """Return what a network sees of each case, and the outcomes."""
    with np.load(folder / _CROPS, allow_pickle=False) as arrays:
        ct, masks, outcome = arrays["ct"], arrays["masks"], arrays["outcome"]
    crops = Crops(ct=torch.from_numpy(ct).to(device), masks=torch.from_numpy(masks).to(device))
    return crops, outcome


def save_roles(path: Path, roles: Roles) -> None:
    """Write the roles of a study."""
    write_arrays(path, vars(roles))


def load_roles(path: Path) -> Roles:
    """Read what `save_roles` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Roles(**{name: arrays[name] for name in ("fitting", "stopping", "scored")})
