"""What a backbone that was trained in one fold sees in the crop of any case."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from feature_store.recipe import Json, Recipe
from hnmets.extractors.embedding import CHANNELS, Embedding, library_versions
from hnmets.networks.fold_model import StoredModel

if TYPE_CHECKING:
    from hnmets.extractors.network_engine import Engine

KIND = "trained"
LOGIT = "logit"


@dataclass(frozen=True, kw_only=True)
class TrainedEmbedding(Embedding):
    """Embedding, and log odds of the event, by the network of one fold.

    The networks of a backbone have one name in the store, `trained.swin`, and a recipe each:
    whom a network was trained on is part of its identity, so that nobody is scored by one that
    has seen them.

    Parameters
    ----------
    stored
        The network's weights file and what it says of itself.
    """

    stored: StoredModel

    @cached_property
    def recipe(self) -> Recipe:
        """Identity in the store; known without loading torch."""
        model = self.stored.model
        size = self.parameters.embedding_size
        return Recipe(
            name=f"{KIND}.{model.backbone}",
            kind=KIND,
            types="float",
            columns=(*(f"e{i:03d}" for i in range(size)), LOGIT),
            parameters={
                "settings": dict(model.settings),
                "weights": f"sha256:{self.stored.sha256}",
                "trained_on": self._trained_on,
            },
            libraries=library_versions("monai"),
        )

    @property
    def _trained_on(self) -> dict[str, Json]:
        model = self.stored.model
        return {"patients": [*model.patients], "split": model.split, "fold": model.fold}

    def _engine(self) -> "Engine":
        # Seconds of imports, which a build that finds nothing to do shall not pay.
        from hnmets.extractors.trained_engine import trained_engine

        return trained_engine(self.stored, self.parameters, channels=len(CHANNELS))
