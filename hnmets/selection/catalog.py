"""The steps by the name under which a study or a model chooses them."""

from collections.abc import Mapping

from hnmets.selection.base import Step
from hnmets.selection.components import PrincipalComponents
from hnmets.selection.correlation import CorrelationFilter
from hnmets.selection.forest import ForestSelection
from hnmets.selection.imputation import MedianImputation
from hnmets.selection.scaling import Scaling
from hnmets.selection.zero_variance import ZeroVariance

STEPS: Mapping[str, type[Step]] = {
    "imputation": MedianImputation,
    "zero-variance": ZeroVariance,
    "correlation": CorrelationFilter,
    "forest": ForestSelection,
    "components": PrincipalComponents,
    "scaling": Scaling,
}
