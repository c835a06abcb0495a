"""The settings of the deep branch; choosing them loads neither torch nor MONAI."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from feature_store.recipe import Json
from hnmets.imaging.crop import CropParameters
from hnmets.networks.architecture import (
    PRESETS,
    Architecture,
    BackboneName,
    Merging,
    Preset,
    embedding_size_of,
    identity_of,
)
from hnmets.networks.weights_file import digest_of

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["single", "half"]


@dataclass(frozen=True, kw_only=True)
class EmbeddingParameters:
    """Network, weights and crop of the embeddings.

    Parameters
    ----------
    backbone
        Kind of network.
    preset
        Shape of a Swin Transformer, and of every network size and spacing of the crop.
    weights
        Local file of the backbone's weights; without one they are drawn from the seed.
    seed
        Of random weights.
    merging
        How the weights were trained: `legacy` with MONAI up to 1.4 (model_swinvit.pt and most
        checkpoints of 2022 to 2024), `fixed` from 1.5 on. The file does not tell, and the
        wrong one computes another function without an error; so a file needs it said.
    embed_dim, depths, window, patch
        Shape of a Swin Transformer, where it shall differ from the preset's; heads stay as wide.
    size_voxels, spacing_mm
        Crop, where it shall differ from the preset's.
    window_hu
        HU that become 0 and 1; use the window that the weights were trained with.
    batch_size
        Crops that a GPU takes together, halved where memory does not suffice; a CPU takes one
        at a time.
    device
        `auto` takes a CUDA device where there is one.
    precision
        `single` is one recipe on CPU and GPU, whose features agree to 1e-4 of their norm (a
        test on a GPU holds them to it); `half` is faster, for a GPU alone, and another recipe.
        A crop that leaves the range of float16 fails, and says so.
    compiled
        Compile the network for a GPU, which takes up to a minute once per build and pays where
        tens of thousands of crops are embedded. A CPU gains nothing and runs as it is.
    """

    backbone: BackboneName = "swin"
    preset: Preset = "full"
    weights: Path | None = None
    seed: int = 0
    merging: Merging | None = None
    embed_dim: int | None = None
    depths: tuple[int, int, int, int] | None = None
    window: int | None = None
    patch: int | None = None
    size_voxels: int | None = None
    spacing_mm: float | None = None
    window_hu: tuple[float, float] = (-160.0, 240.0)
    batch_size: int = 16
    device: Device = "auto"
    precision: Precision = "single"
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.weights is not None and self.merging is None:
            raise ValueError(
                "weights need merging: 'legacy' if trained with MONAI up to 1.4, else 'fixed'"
            )
        if self.weights is not None and self.backbone != "swin":
            raise ValueError(f"weights are read into a swin alone, not into a {self.backbone}")
        multiple = self.architecture.edge_multiple
        if self.crop.size_voxels % multiple:
            raise ValueError(
                f"size_voxels is {self.crop.size_voxels}, must be a multiple of {multiple}"
            )
        if self.batch_size < 1 or self.seed < 0:
            raise ValueError("batch_size must be above 0, seed not negative")
        if self.precision == "half" and self.device == "cpu":
            raise ValueError("half precision needs a GPU")

    @property
    def architecture(self) -> Architecture:
        """Shape of the network.

        Raises
        ------
        ValueError
            If an embedding does not divide into heads as wide as the preset's.
        """
        return PRESETS[self.preset].reshaped(
            embed_dim=self.embed_dim, depths=self.depths, window=self.window, patch=self.patch
        )

    @property
    def embedding_size(self) -> int:
        """Numbers in the embedding."""
        return embedding_size_of(self.backbone, self.architecture)

    @property
    def crop(self) -> CropParameters:
        """Crop that the network sees."""
        default = self.architecture
        return CropParameters(
            size_voxels=default.size_voxels if self.size_voxels is None else self.size_voxels,
            spacing_mm=default.spacing_mm if self.spacing_mm is None else self.spacing_mm,
            window_hu=self.window_hu,
        )

    @property
    def merges(self) -> Merging:
        """Merging of the network; random weights take today's."""
        return self.merging or "fixed"

    @property
    def weights_sha256(self) -> str | None:
        """Digest of the weights file; None for random weights.

        Raises
        ------
        WeightsError
            If there is no such file.
        """
        return None if self.weights is None else digest_of(self.weights)

    @property
    def identity(self) -> dict[str, Json]:
        """The settings that the values depend on, as JSON; where and how fast is not among them.

        Raises
        ------
        WeightsError
            If there is no such weights file.
        """
        digest = self.weights_sha256
        return {
            "network": identity_of(self.backbone, self.architecture),
            "merging": self.merges,
            "weights": f"sha256:{digest}" if digest else f"random(seed={self.seed})",
            "precision": self.precision,
            "crop": self.crop.identity,
        }
