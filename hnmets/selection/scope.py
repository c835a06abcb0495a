"""Which columns a step concerns."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows


def in_scope(rows: Rows, scope: Sequence[str]) -> NDArray[np.intp]:
    """Return the places of the columns that are named, or whose modality or family is.

    Parameters
    ----------
    scope
        `radiomics` means `radiomics.tumour` and `radiomics.ring`; `clinical.sex` means that
        column, or those of its categories; nothing named means all.
    """
    pairs = zip(rows.modalities, rows.columns, strict=True)
    return np.flatnonzero([not scope or _names(scope, *pair) for pair in pairs])


def _names(scope: Sequence[str], modality: str, column: str) -> bool:
    variable = column.partition("=")[0]
    return any(name in {modality, variable} or modality.startswith(f"{name}.") for name in scope)
