"""Put weights of public checkpoints into an encoder, or refuse them."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hnmets.networks.architecture import Architecture, Merging
from hnmets.networks.swin import SwinEncoder, random_encoder
from hnmets.networks.weights_file import WeightsError, read_tensors, require_unchanged

MINIMUM_SHARE = 0.95
# What checkpoints put before the names of the backbone: DataParallel, SuPreM, SwinUNETR, VoCo,
# the disruptive autoencoder.
_PREFIXES = ("module.", "backbone.", "network.", "swinViT.", "swin_vit.", "encoder.")
_OTHER_PRESET = "Choose the preset that the weights were trained with."
_INPUT = "patch_embed.proj.weight"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What of a file went into the backbone.

    Parameters
    ----------
    names, missing
        Parameters of the backbone that the file gave, and those that it did not.
    unexpected
        Names in the file that the backbone has no place for: decoders, heads.
    mismatched
        Parameters that the file has in another shape; they are missing too.
    share
        Share of the backbone that was loaded, of its numbers or of its tensors, whichever is
        lower: position tables are many tensors with few numbers.
    """

    names: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]
    share: float


def pretrained_encoder(
    architecture: Architecture, *, channels: int, merging: Merging, path: Path, sha256: str
) -> tuple[SwinEncoder, Loaded]:
    """Build an encoder with the weights of a local file.

    What little the file lacks keeps an initialisation that is the same every time. A file
    that was trained on CT alone sees the CT alone: the filters of the other channels are zero.

    Parameters
    ----------
    sha256
        Digest of the file that was planned with.

    Raises
    ------
    WeightsError
        If the file changed, cannot be read, or fills less than 95 % of the backbone.
    """
    require_unchanged(path, sha256)
    encoder = random_encoder(architecture, channels=channels, merging=merging, seed=0)
    return encoder, load(encoder, read_tensors(path), label=path.name)


def load(encoder: SwinEncoder, tensors: Mapping[str, Tensor], *, label: str) -> Loaded:
    """Copy tensors into the backbone and say what was loaded.

    Raises
    ------
    WeightsError
        If less than 95 % of the backbone was loaded, the filters of the input do not fit, or
        a tensor holds something else than finite floating-point numbers.
    """
    wanted = dict(encoder.backbone.named_parameters())
    found = _renamed(tensors, label)
    if _INPUT in found:
        found[_INPUT] = _widened(found[_INPUT], wanted[_INPUT].shape, label)
    fitting = {
        name: tensor
        for name, tensor in found.items()
        if name in wanted and tensor.shape == wanted[name].shape
    }
    report = _report(wanted, found=found, fitting=fitting)
    _require(report, fitting=fitting, label=label)
    with torch.no_grad():
        for name, tensor in fitting.items():
            wanted[name].copy_(tensor)
    return report


def backbone_name(key: str) -> str:
    """Return the backbone's name for a key of a checkpoint.

    Examples
    --------
    >>> backbone_name("module.layers1.0.blocks.0.mlp.fc1.weight")
    'layers1.0.blocks.0.mlp.linear1.weight'
    >>> backbone_name("module.backbone.swinViT.patch_embed.proj.bias")
    'patch_embed.proj.bias'
    >>> backbone_name("encoder.layers1.0.0.blocks.0.norm1.weight")
    'layers1.0.blocks.0.norm1.weight'
    """
    while prefix := next((p for p in _PREFIXES if key.startswith(p)), None):
        key = key.removeprefix(prefix)
    key = re.sub(r"\.mlp\.fc([12])\.", r".mlp.linear\1.", key)
    # The disruptive autoencoder nests its stages once more, as MONAI's filter_swinunetr knows.
    return re.sub(r"^(layers[1-4]\.0)\.\d+\.", r"\1.", key)


def _renamed(tensors: Mapping[str, Tensor], label: str) -> dict[str, Tensor]:
    renamed: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        name = backbone_name(key)
        if name in renamed:
            raise WeightsError(f"weights {label}: two tensors for '{name}', one is '{key}'")
        renamed[name] = tensor
    return renamed


def _widened(filters: Tensor, shape: torch.Size, label: str) -> Tensor:
    """Give filters of the CT alone the channels that the crops have."""
    if filters.shape == shape:
        return filters
    if filters.ndim != 5 or filters.shape[1] != 1 or filters.shape[2:] != shape[2:]:
        raise WeightsError(
            f"weights {label}: the input filters are {tuple(filters.shape)}, "
            f"wanted is {tuple(shape)} or one channel"
        ).with_note(_OTHER_PRESET)
    widened = torch.zeros((filters.shape[0], *shape[1:]), dtype=filters.dtype)
    widened[:, :1] = filters
    return widened


def _report(
    wanted: Mapping[str, Tensor], *, found: Mapping[str, Tensor], fitting: Mapping[str, Tensor]
) -> Loaded:
    numbers = sum(tensor.numel() for tensor in wanted.values())
    loaded = sum(tensor.numel() for tensor in fitting.values())
    return Loaded(
        names=tuple(fitting),
        missing=tuple(name for name in wanted if name not in fitting),
        unexpected=tuple(
            name
            for name in found
            # The index of the position tables follows from the window; MONAI computes it.
            if name not in wanted and not name.endswith("relative_position_index")
        ),
        mismatched=tuple(name for name in wanted if name in found and name not in fitting),
        share=min(loaded / numbers, len(fitting) / len(wanted)),
    )


def _require(report: Loaded, *, fitting: Mapping[str, Tensor], label: str) -> None:
    if report.share < MINIMUM_SHARE or _INPUT in report.missing:
        raise WeightsError(
            f"weights {label}: {report.share:.1%} of the backbone found, wanted are "
            f"{MINIMUM_SHARE:.0%}; missing: {_listed(report.missing)}; of another shape: "
            f"{_listed(report.mismatched)}; unknown: {_listed(report.unexpected)}"
        ).with_note(_OTHER_PRESET)
    for name, tensor in fitting.items():
        if not tensor.is_floating_point():
            raise WeightsError(f"weights {label}: '{name}' is {tensor.dtype}, not floating point")
        if not tensor.float().isfinite().all():
            raise WeightsError(f"weights {label}: '{name}' holds values that are not finite")
    if report.missing:
        _log.warning("weights %s: not in the file: %s", label, _listed(report.missing))


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more if names else "none"
