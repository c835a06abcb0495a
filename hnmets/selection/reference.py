"""The steps of the study that hnmets reproduces."""

from dataclasses import dataclass

from hnmets.selection.chain import Chain
from hnmets.selection.components import PrincipalComponents
from hnmets.selection.correlation import CorrelationFilter
from hnmets.selection.forest import ForestSelection
from hnmets.selection.imputation import MedianImputation
from hnmets.selection.scaling import Scaling
from hnmets.selection.zero_variance import ZeroVariance


@dataclass(frozen=True, kw_only=True)
class SelectionParameters:
    """Radiomics filtered and chosen, embeddings compressed, everything imputed and scaled.

    Parameters
    ----------
    correlation_limit
        Highest |Spearman| of two radiomics columns.
    trees, top
        Of the random forest, and how many radiomics columns stay.
    components
        Principal components per embedding.
    radiomics, embeddings
        Modalities or families that are chosen from and compressed: imported ones have names
        of their own.
    seed
        Of the forest.

    References
    ----------
    arXiv 2508.20469: correlation filter, random forest, 36 features.
    """

    correlation_limit: float = 0.90
    trees: int = 500
    top: int = 36
    components: int = 64
    radiomics: tuple[str, ...] = ("radiomics",)
    embeddings: tuple[str, ...] = ("embedding",)
    seed: int = 0

    @property
    def chain(self) -> Chain:
        """The steps in their order; those of a family that the rows lack do nothing."""
        forest = ForestSelection(
            trees=self.trees, top=self.top, seed=self.seed, scope=self.radiomics
        )
        return Chain(
            steps=(
                MedianImputation(),
                ZeroVariance(),
                CorrelationFilter(limit=self.correlation_limit, scope=self.radiomics),
                forest,
                PrincipalComponents(components=self.components, scope=self.embeddings),
                Scaling(),
            )
        )
