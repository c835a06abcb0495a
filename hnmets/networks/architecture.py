"""The backbones that a study can choose, and their shapes; no library is loaded here."""

from dataclasses import dataclass, replace
from typing import Literal

from feature_store.recipe import Json

Merging = Literal["legacy", "fixed"]
Preset = Literal["full", "mid", "ci"]
BackboneName = Literal["swin", "resnet10", "resnet18", "densenet121", "efficientnet-b0", "cnn"]

# Each of the four stages halves the edge.
_MERGINGS = 2**4


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A 3-D Swin Transformer and the crop that it was laid out for.

    Parameters
    ----------
    embed_dim
        Channels after the patch embedding; doubled by each of the four stages.
    depths, heads
        Blocks and attention heads of each stage.
    window
        Edge of an attention window, in tokens.
    patch
        Edge of a patch, in voxels.
    size_voxels, spacing_mm
        Crop; a smaller network sees a field of view as large as it can at coarser voxels.

    Examples
    --------
    >>> [PRESETS[name].embedding_size for name in ("full", "mid", "ci")]
    [768, 384, 192]
    """

    embed_dim: int
    depths: tuple[int, int, int, int]
    heads: tuple[int, int, int, int]
    window: int
    patch: int = 2
    size_voxels: int
    spacing_mm: float

    @property
    def embedding_size(self) -> int:
        """Numbers in the embedding."""
        return 16 * self.embed_dim

    @property
    def edge_multiple(self) -> int:
        """What the edge of a crop has to be a multiple of, in voxels."""
        return self.patch * _MERGINGS

    def reshaped(
        self,
        *,
        embed_dim: int | None = None,
        depths: tuple[int, int, int, int] | None = None,
        window: int | None = None,
        patch: int | None = None,
    ) -> "Architecture":
        """Return another shape for the same crop, with heads as wide as before.

        Raises
        ------
        ValueError
            If the embedding does not divide into such heads, or a number is below 1.

        Examples
        --------
        >>> PRESETS["ci"].reshaped(embed_dim=24).heads
        (2, 4, 8, 16)
        """
        embed = self.embed_dim if embed_dim is None else embed_dim
        width = self.embed_dim // self.heads[0]
        shape = replace(
            self,
            embed_dim=embed,
            depths=self.depths if depths is None else depths,
            window=self.window if window is None else window,
            patch=self.patch if patch is None else patch,
        )
        if min(embed, shape.window, shape.patch, *shape.depths) < 1:
            raise ValueError("embed_dim, depths, window and patch are at least 1")
        if embed % width:
            raise ValueError(f"embed_dim is {embed}, must be a multiple of {width}")
        first = embed // width
        return replace(shape, heads=(first, 2 * first, 4 * first, 8 * first))

    @property
    def identity(self) -> dict[str, Json]:
        """What the network's function depends on beside its weights, as JSON."""
        return {
            "network": "swin3d",
            "embed_dim": self.embed_dim,
            "depths": list(self.depths),
            "heads": list(self.heads),
            "window": self.window,
            "patch": self.patch,
        }


PRESETS: dict[Preset, Architecture] = {
    "full": Architecture(
        embed_dim=48,
        depths=(2, 2, 2, 2),
        heads=(3, 6, 12, 24),
        window=7,
        size_voxels=96,
        spacing_mm=1.0,
    ),
    "mid": Architecture(
        embed_dim=24,
        depths=(2, 2, 2, 2),
        heads=(3, 6, 12, 24),
        window=4,
        size_voxels=64,
        spacing_mm=1.5,
    ),
    "ci": Architecture(
        embed_dim=12,
        depths=(1, 1, 1, 1),
        heads=(1, 2, 4, 8),
        window=4,
        size_voxels=32,
        spacing_mm=2.0,
    ),
}

# Backbones with one shape for every crop, and the numbers in their embedding.
_CONVOLUTIONAL: dict[BackboneName, int] = {
    "resnet10": 512,
    "resnet18": 512,
    "densenet121": 1024,
    "efficientnet-b0": 1280,
    "cnn": 128,
}


def embedding_size_of(backbone: BackboneName, architecture: Architecture) -> int:
    """Return the numbers in a backbone's embedding; the shape of a Swin is its preset's.

    Examples
    --------
    >>> embedding_size_of("swin", PRESETS["ci"]), embedding_size_of("resnet10", PRESETS["ci"])
    (192, 512)
    """
    return _CONVOLUTIONAL.get(backbone, architecture.embedding_size)


def identity_of(backbone: BackboneName, architecture: Architecture) -> dict[str, Json]:
    """Return what a network's function depends on beside its weights, as JSON."""
    return architecture.identity if backbone == "swin" else {"network": backbone}
