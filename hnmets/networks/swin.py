"""The 3-D Swin Transformer as an encoder: a crop in, one embedding out."""

import torch
from torch import Tensor
from torch.nn import functional

from hnmets.networks.architecture import Architecture, Merging
from hnmets.networks.encoder import Encoder
from hnmets.networks.swin_forward import SwinBackbone, WindowAttention


class SwinEncoder(Encoder):
    """MONAI's `SwinTransformer`, its last stage layer-normed and averaged over space.

    Parameters
    ----------
    architecture
        Shape of the network; ready for its crop, other crops are laid out when they come.
    channels
        Channels of the crop.
    merging
        `fixed` as in MONAI from 1.5 on, `legacy` as in MONAI up to 1.4.
    """

    def __init__(self, architecture: Architecture, *, channels: int, merging: Merging) -> None:
        super().__init__()
        self.embedding_size = architecture.embedding_size
        self.backbone = SwinBackbone(architecture, channels=channels, merging=merging)
        self.lay_out(architecture.size_voxels)

    def lay_out(self, edge: int) -> None:
        """Lay out the windows of crops with an edge, in voxels; before `torch.compile`."""
        self.backbone.lay_out(edge)

    def freeze_position_tables(self) -> None:
        """Train the relative position tables no further.

        They are 2.5 % of the parameters. Their gradient is dear: the fused attention writes it
        for each window of each crop before it is summed.
        """
        for module in self.backbone.modules():
            if isinstance(module, WindowAttention):
                module.relative_position_bias_table.requires_grad_(False)

    def maps(self, crops: Tensor) -> Tensor:
        """Return the last stage: (B, channels, D, H, W) to (B, 16 × embed_dim, d, h, w).

        Raises
        ------
        ValueError
            If an edge is not a multiple of 32.
        """
        tokens: Tensor = self.backbone(crops)
        return tokens.permute(0, 4, 1, 2, 3)

    def pooled(self, maps: Tensor) -> Tensor:
        """Return the stage's tokens layer-normed and averaged: (B, 16 × embed_dim).

        Returns
        -------
        Tensor
            float64 for float64 maps, else float32: half precision ends before the norm.
        """
        exact = maps if maps.dtype == torch.float64 else maps.float()
        last = exact.flatten(2).transpose(1, 2)
        return functional.layer_norm(last, last.shape[-1:]).mean(dim=1)


def random_encoder(
    architecture: Architecture, *, channels: int, merging: Merging, seed: int
) -> SwinEncoder:
    """Build an encoder with weights drawn from a seed; the process's own generator stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SwinEncoder(architecture, channels=channels, merging=merging).eval()
