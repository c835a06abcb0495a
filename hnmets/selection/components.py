"""Embeddings in fewer columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hnmets.datasets.rows import TrainRows
from hnmets.selection.base import AnyRows, require_columns, require_finite
from hnmets.selection.content import Content
from hnmets.selection.kept import without
from hnmets.selection.scope import in_scope


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Principal axes of one modality.

    Parameters
    ----------
    modality
        Whose columns they replace: one embedding is never mixed with another.
    places
        int64, shape (columns of the modality,).
    mean
        float64, shape (columns of the modality,).
    axes
        float64, shape (components, columns of the modality), orthonormal rows.
    explained
        float64, shape (components,): share of the training variance, falling.
    """

    modality: str
    places: NDArray[np.intp]
    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the components: `embedding.both.pc01` and so on."""
        return tuple(f"{self.modality}.pc{n:02d}" for n in range(1, len(self.axes) + 1))

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the components, shape (cases, components), of all columns' values."""
        components: NDArray[np.float64] = (values[:, self.places] - self.mean) @ self.axes.T
        return components


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """Projections that replace their columns; the components stand behind what stays.

    Parameters
    ----------
    columns
        Those that the step was fitted on.
    places
        int64: places of the columns that stay as they are.
    projections
        One per modality.
    """

    columns: tuple[str, ...]
    places: NDArray[np.intp]
    projections: tuple[Projection, ...]

    def apply(self, rows: AnyRows) -> AnyRows:
        """Return the rows with components for columns; see `Fitted.apply`."""
        require_columns("principal components", self.columns, rows)
        kept = rows.of_columns(self.places)
        return kept.with_columns(
            [*kept.columns, *(name for p in self.projections for name in p.names)],
            modalities=[*kept.modalities, *(p.modality for p in self.projections for _ in p.axes)],
            values=np.hstack([kept.values, *(p.of(rows.values) for p in self.projections)]),
        )


@dataclass(frozen=True, kw_only=True)
class PrincipalComponents:
    """Compresses each embedding to its first principal components.

    Parameters
    ----------
    components
        Per modality; fewer where training cases or columns are fewer.
    scope
        Modalities or families.
    """

    components: int = 64
    scope: tuple[str, ...] = ("embedding",)

    def __post_init__(self) -> None:
        """Check that anything is left."""
        if self.components < 1:
            raise ValueError("components is at least 1")

    def fit(self, rows: TrainRows) -> Compressed:
        """Find the axes of each modality; see `Step.fit`."""
        places = in_scope(rows, self.scope)
        require_finite("principal components", rows, places)
        by_modality: dict[str, list[int]] = {}
        for place in places:
            by_modality.setdefault(rows.modalities[place], []).append(int(place))
        return Compressed(
            columns=rows.columns,
            places=without(rows, places),
            projections=tuple(
                self._projection(rows, modality, own) for modality, own in by_modality.items()
            ),
        )

    def _projection(self, rows: TrainRows, modality: str, own: Sequence[int]) -> Projection:
        places = np.array(own, dtype=np.intp)
        mean, axes, explained = axes_of(Content(array=rows.values[:, places]), self.components)
        return Projection(
            modality=modality, places=places, mean=mean, axes=axes, explained=explained
        )


# The rungs of one fold ask one after the other: three embeddings, and one to spare.
@lru_cache(maxsize=4)
def axes_of(values: Content, components: int) -> tuple[NDArray[np.float64], ...]:
    """Return the mean, the axes and the explained shares of the components, read-only."""
    from sklearn.decomposition import PCA

    cases, columns = values.array.shape
    # One case or column less than there are: the mean takes a degree of freedom.
    most = max(1, min(components, columns, cases - 1))
    # An exact solver: the randomised one would need a seed and moves the last digits.
    pca = PCA(most, svd_solver="full").fit(values.array)
    found = pca.mean_, pca.components_, np.nan_to_num(pca.explained_variance_ratio_)
    for array in found:
        array.setflags(write=False)
    return found
