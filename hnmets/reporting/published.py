"""Figures of a publication, to be printed beside our own."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class PublishedFigure:
    """A published number and the rung that comes nearest to it."""

    what: str
    measure: Literal["auc", "accuracy", "sensitivity", "specificity"]
    value: float
    rung: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """Figures of a publication, printed beside our own with the words that cohorts differ."""

    source: str
    cohort: str
    figures: tuple[PublishedFigure, ...]
