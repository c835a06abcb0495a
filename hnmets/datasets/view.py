"""Which features a model sees."""

from dataclasses import dataclass
from typing import Literal

Policy = Literal["complete-case", "modality-missing"]


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """A named list of feature sets.

    Parameters
    ----------
    name
        What people call it: `clinical + size`.
    recipes
        Recipes of the store by name, label or fingerprint: `radiomics.tumour`,
        `embedding.both`, `clinical`. The columns follow their order.
    policy
        `complete-case` leaves out every case that lacks one of the recipes. `modality-missing`
        keeps a case that has at least one, with NaN for the others. A single value that is
        absent from a row leaves nobody out: it is NaN, and imputed within each fold.
    """

    name: str
    recipes: tuple[str, ...]
    policy: Policy = "complete-case"

    def __post_init__(self) -> None:
        """Check that the view sees anything."""
        if not self.recipes:
            raise ValueError(f"view '{self.name}' names no recipe")
