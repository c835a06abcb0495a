"""A backbone with one logit on top: what is trained end to end."""

import math

import torch
from torch import Tensor, nn

from hnmets.networks.encoder import Encoder


class Classifier(nn.Module):
    """The log odds of the event, linear in the embedding.

    Parameters
    ----------
    encoder
        The backbone.
    prevalence
        Share of the training cases with the event: with the weights of the head at zero, an
        untrained network says it of everybody, and the first steps are not spent on it.
    dropout
        Share of the embedding that training drops.
    """

    def __init__(self, encoder: Encoder, *, prevalence: float, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.embedding_size, 1)
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.fill_(math.log(prevalence / (1 - prevalence)))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        """Return the log odds of embeddings: (B, embedding_size) to (B,)."""
        logits: Tensor = self.head(self.dropout(embedding))
        return logits.squeeze(1)

    def from_maps(self, maps: Tensor) -> Tensor:
        """Return the log odds of the encoder's feature maps: (B,)."""
        return self.from_embedding(self.encoder.pooled(maps))

    def forward(self, crops: Tensor) -> Tensor:
        """Return the log odds of crops: (B, channels, D, H, W) to (B,)."""
        return self.from_maps(self.encoder.maps(crops))
