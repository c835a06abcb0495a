"""One row of features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Scalar

Values = NDArray[np.float64] | NDArray[np.float32] | Sequence[Scalar]


@dataclass(frozen=True, kw_only=True)
class Row:
    """The features of one case (or one part of its region) under one recipe.

    Parameters
    ----------
    case_id
        The study's id.
    fingerprint
        Of the recipe.
    input_digest
        SHA-256 over everything that was read to make the row.
    values
        In the order of the recipe's columns; NaN (vectors) or None (typed) where absent.
    part
        0 for a whole region; 1, 2, … for parts that are kept as rows of their own.
    reasons
        Why a value is absent, by column; a prefix ending in `*` covers many columns.
    flags
        Quality facts of this row: share clipped, spacing grown, …
    made_with
        What is recorded but is not identity: torch, device, precision.
    """

    case_id: str
    fingerprint: str
    input_digest: str
    values: Values
    part: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Scalar] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)
