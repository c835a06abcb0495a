"""What every backbone is: a crop in, feature maps, one embedding out."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Encoder(nn.Module, ABC):
    """A backbone without the layers that a task puts on top.

    Attributes
    ----------
    embedding_size
        Numbers in the embedding.
    """

    embedding_size: int

    @abstractmethod
    def maps(self, crops: Tensor) -> Tensor:
        """Return the last feature maps: (B, channels, D, H, W) to (B, features, d, h, w)."""

    def pooled(self, maps: Tensor) -> Tensor:
        """Return embeddings of feature maps, averaged over space: (B, embedding_size)."""
        return maps.flatten(2).mean(dim=2)

    def forward(self, crops: Tensor) -> Tensor:
        """Embed crops: (B, channels, D, H, W) to (B, embedding_size)."""
        return self.pooled(self.maps(crops))
