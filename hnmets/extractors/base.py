"""What every extractor is: a recipe, and a function from a case to its features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Recipe
from hnmets.domain.case import ImagedCase
from hnmets.domain.region import Scalar


@dataclass(frozen=True, kw_only=True)
class Features:
    """What an extractor found in one region (or part) of a case.

    Parameters
    ----------
    values
        float64 or float32, shape (n,), in the order of the recipe's columns; NaN where absent.
    part
        0 for a whole region; 1, 2, … for parts that are kept separate.
    reasons
        Why a value is absent, by column; a prefix ending in `*` covers many columns.
    flags
        Quality facts: share of voxels clipped, spacing grown, …
    made_with
        Recorded but not identity: torch, device, precision.
    """

    values: NDArray[np.float64] | NDArray[np.float32]
    part: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Scalar] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)


class RegionExtractor(Protocol):
    """Measures one region of a case.

    Implementations are frozen dataclasses: they travel to worker processes.
    """

    @property
    def region(self) -> str:
        """Name of the region that is measured."""
        ...

    @property
    def recipe(self) -> Recipe:
        """Identity in the store; a changed setting is another recipe."""
        ...

    def extract(self, case: ImagedCase) -> Sequence[Features]:
        """Measure the case: one entry per part of the region.

        Raises
        ------
        CaseError
            If the region cannot be measured.
        """
        ...
