"""A small cohort with every kind of column, and the steps scaled down to it."""

from dataclasses import fields, is_dataclass, replace

import numpy as np

from hnmets.datasets.drawing import draw
from hnmets.datasets.fold_rows import FoldRows, folds_of
from hnmets.datasets.rows import TrainRows
from hnmets.datasets.split_parameters import SplitParameters
from hnmets.selection.base import Step
from hnmets.selection.catalog import STEPS
from hnmets.selection.components import PrincipalComponents, axes_of
from hnmets.selection.correlation import keepers_of
from hnmets.selection.forest import ForestSelection, importance_of
from tests.builders_rows import dataset_of, subjects_in, train_rows

MODALITIES = (
    *["radiomics.tumour"] * 8,
    *["radiomics.ring"] * 4,
    *["embedding.both"] * 6,
    *["clinical"] * 2,
)


def small_rows() -> TrainRows:
    """Sixty patients: columns 1 and 2 repeat column 0, column 3 is constant."""
    rng = np.random.default_rng(11)
    outcome = np.arange(60) % 3 == 0
    values = rng.normal(size=(60, len(MODALITIES))) + outcome[:, np.newaxis] * 0.3
    values[:, 1] = 2 * values[:, 0] + 1
    values[:, 2] = -values[:, 0]
    values[:, 3] = 7.0
    return train_rows(values, outcome, MODALITIES)


def small_step(name: str) -> Step:
    """A step of the catalog with few trees and components."""
    step = STEPS[name]()
    if isinstance(step, ForestSelection):
        return replace(step, trees=20, top=5)
    if isinstance(step, PrincipalComponents):
        return replace(step, components=3)
    return step


def forget() -> None:
    """Forget what steps have computed, so that they compute it again."""
    axes_of.cache_clear()
    keepers_of.cache_clear()
    importance_of.cache_clear()


def small_folds(rows: TrainRows) -> tuple[FoldRows, ...]:
    """The rows in five folds."""
    parameters = SplitParameters(repeats=1, inner_folds=2)
    return folds_of(dataset_of(rows), draw(subjects_in(rows), parameters))


def learned(fitted: object) -> object:
    """All parameters of something fitted, arrays as bytes: equal if and only if byte-equal."""
    if isinstance(fitted, np.ndarray):
        return fitted.dtype.str, fitted.shape, fitted.tobytes()
    if is_dataclass(fitted):
        return type(fitted), [learned(getattr(fitted, field.name)) for field in fields(fitted)]
    if isinstance(fitted, tuple):
        return [learned(part) for part in fitted]
    return fitted
