"""The models by the name under which a study chooses them, with their default settings."""

from collections.abc import Mapping
from dataclasses import replace

from hnmets.models.base import Model
from hnmets.models.elastic_net import ElasticNet
from hnmets.models.fusion import Fusion
from hnmets.models.head_parameters import HeadParameters
from hnmets.models.names import ModelName
from hnmets.models.trees import GradientBoosting, RandomForest

MODELS: Mapping[ModelName, Model] = {
    # For a handful of columns: a light ridge, nothing chosen.
    "logistic": ElasticNet(strengths=(1.0,), l1_ratio=0.0),
    "elastic-net": ElasticNet(),
    "random-forest": RandomForest(),
    "boosting": GradientBoosting(),
    "fusion": Fusion(),
    # These two gain nothing from sparsity.
    "fusion-gated": Fusion(parameters=HeadParameters(fusion="gated", sparsity=0.0)),
    "fusion-attention": Fusion(parameters=HeadParameters(fusion="attention", sparsity=0.0)),
    # Fully connected, as in arXiv 2508.20469.
    "fusion-paper": Fusion(parameters=HeadParameters(sparsity=0.0)),
}


def model_of(name: ModelName, head: HeadParameters) -> Model:
    """Return the model of a name; a fusion head with the settings that a study gives it.

    `fusion` is the head as the settings have it; the gated and the attending one change how it
    fuses, the published one is what it is.
    """
    model = MODELS[name]
    if name == "fusion":
        return Fusion(parameters=head)
    if isinstance(model, Fusion) and name != "fusion-paper":
        own = model.parameters
        return Fusion(parameters=replace(head, fusion=own.fusion, sparsity=own.sparsity))
    return model
