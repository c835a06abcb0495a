"""Everything fitted that may stand on disk, by the name under which it stands there."""

from collections.abc import Mapping

from hnmets.models.candidate import FittedCandidate
from hnmets.models.elastic_net import FittedElasticNet
from hnmets.models.fitted_fusion import FittedFusion
from hnmets.models.tree_ensemble import TreeEnsemble
from hnmets.models.trees import FittedTrees
from hnmets.selection.chain import FittedChain
from hnmets.selection.components import Compressed, Projection
from hnmets.selection.correlation import Uncorrelated
from hnmets.selection.forest import ForestChoice
from hnmets.selection.imputation import FittedImputation, Indicator
from hnmets.selection.kept import KeptColumns
from hnmets.selection.scaling import FittedScaling

KINDS: Mapping[str, type] = {
    "candidate": FittedCandidate,
    "chain": FittedChain,
    "imputation": FittedImputation,
    "indicator": Indicator,
    "kept": KeptColumns,
    "uncorrelated": Uncorrelated,
    "forest-choice": ForestChoice,
    "compressed": Compressed,
    "projection": Projection,
    "scaling": FittedScaling,
    "elastic-net": FittedElasticNet,
    "trees": FittedTrees,
    "nodes": TreeEnsemble,
    "fusion": FittedFusion,
}
