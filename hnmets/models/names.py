"""Names of the models; apart from the models, whose libraries take seconds to load."""

from typing import Literal

ModelName = Literal[
    "logistic",
    "elastic-net",
    "random-forest",
    "boosting",
    "fusion",
    "fusion-gated",
    "fusion-attention",
    "fusion-paper",
]
