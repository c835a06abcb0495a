"""The 3-D Swin Transformer as an encoder: a crop in, one embedding out."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from hnmets.networks.architecture import Architecture, Merging
from hnmets.networks.encoder import Encoder

# Octants in the order in which MONAI up to 1.4 took them: (0, 1, 0) and (0, 0, 1) come twice,
# (1, 1, 0) and (0, 1, 1) never (MONAI issues 4757 and 8284, kept for old weights until 1.5).
LEGACY_OCTANTS = (
    (0, 0, 0),
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 0, 1),
    (0, 1, 0),
    (0, 0, 1),
    (1, 1, 1),
)


class LegacyMerging(nn.Module):
    """Patch merging as weights trained with MONAI up to 1.4 need it.

    The parameters have the names and shapes of today's merging, so that such weights load
    into either and only one of the two computes what was trained.

    Parameters
    ----------
    dim
        Channels of a token; a merged token has twice as many.
    norm_layer
        Layer normalisation.
    spatial_dims
        3; MONAI passes it.
    """

    def __init__(
        self, dim: int, norm_layer: type[nn.LayerNorm] = nn.LayerNorm, spatial_dims: int = 3
    ) -> None:
        super().__init__()
        if spatial_dims != 3:
            raise ValueError(f"the legacy merging is 3-D, not {spatial_dims}-D")
        self.reduction = nn.Linear(8 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(8 * dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Merge 2 × 2 × 2 tokens: (B, D, H, W, C) to (B, D/2, H/2, W/2, 2C)."""
        _, d, h, w, _ = tokens.shape
        even = functional.pad(tokens, (0, 0, 0, w % 2, 0, h % 2, 0, d % 2))
        octants = [even[:, i::2, j::2, k::2] for i, j, k in LEGACY_OCTANTS]
        merged: Tensor = self.reduction(self.norm(torch.cat(octants, dim=-1)))
        return merged


class SwinEncoder(Encoder):
    """MONAI's `SwinTransformer`, its last stage layer-normed and averaged over space.

    Parameters
    ----------
    architecture
        Shape of the network.
    channels
        Channels of the crop.
    merging
        `fixed` as in MONAI from 1.5 on, `legacy` as in MONAI up to 1.4.
    """

    def __init__(self, architecture: Architecture, *, channels: int, merging: Merging) -> None:
        super().__init__()
        self.embedding_size = architecture.embedding_size
        # Importing any part of MONAI imports all of it: 3 to 7 seconds.
        from monai.networks.nets.swin_unetr import SwinTransformer

        self.backbone = SwinTransformer(
            in_chans=channels,
            embed_dim=architecture.embed_dim,
            window_size=(architecture.window,) * 3,
            patch_size=(architecture.patch,) * 3,
            depths=architecture.depths,
            num_heads=architecture.heads,
            downsample=LegacyMerging if merging == "legacy" else "merging",
            # The same numbers to 3e-7, without the score tensor that costs half of the time.
            use_flash_attention=True,
        )

    def maps(self, crops: Tensor) -> Tensor:
        """Return the last stage: (B, channels, D, H, W) to (B, 16 × embed_dim, d, h, w)."""
        # Not the backbone's own forward: it normalises four maps more that nobody looks at.
        backbone = self.backbone
        tokens = backbone.patch_embed(crops)
        for stage in (backbone.layers1, backbone.layers2, backbone.layers3, backbone.layers4):
            tokens = stage[0](tokens.contiguous())
        last: Tensor = tokens
        return last

    def pooled(self, maps: Tensor) -> Tensor:
        """Return the stage's tokens layer-normed and averaged: (B, 16 × embed_dim), float32."""
        last = maps.float().flatten(2).transpose(1, 2)
        return functional.layer_norm(last, last.shape[-1:]).mean(dim=1)


def random_encoder(
    architecture: Architecture, *, channels: int, merging: Merging, seed: int
) -> SwinEncoder:
    """Build an encoder with weights drawn from a seed; the process's own generator stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SwinEncoder(architecture, channels=channels, merging=merging).eval()
