"""Which columns a step concerns."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import Rows


def in_scope(rows: Rows, scope: Sequence[str]) -> NDArray[np.intp]:
    """Return the places of the columns whose modality is named, or starts with a named family.

    Parameters
    ----------
    scope
        `radiomics` means `radiomics.tumour` and `radiomics.ring`; nothing named means all.
    """
    return np.flatnonzero([not scope or _names(scope, modality) for modality in rows.modalities])


def _names(scope: Sequence[str], modality: str) -> bool:
    return any(modality == name or modality.startswith(f"{name}.") for name in scope)
