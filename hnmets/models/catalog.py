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
    # Chosen on a synthetic cohort: of 0 to 3.5 the best, or within the seeds of it, whether 240,
    # 480 or 960 patients are learned from. It does not help the next two. benchmarks/RESULTS.md
    "fusion": Fusion(parameters=HeadParameters(sparsity=2.0)),
    "fusion-gated": Fusion(parameters=HeadParameters(fusion="gated")),
    "fusion-attention": Fusion(parameters=HeadParameters(fusion="attention")),
    # Fully connected, as in arXiv 2508.20469.
    "fusion-paper": Fusion(),
}


def model_of(name: ModelName, head: HeadParameters) -> Model:
    """Return the model of a name; a fusion head with the settings that a study gives it.

    `fusion` is the head as the settings have it, the others change how it fuses.
    """
    model = MODELS[name]
    if name == "fusion":
        return Fusion(parameters=head)
    if isinstance(model, Fusion):
        return Fusion(parameters=replace(head, fusion=model.parameters.fusion))
    return model
