"""Figures of a publication, to be printed beside our own."""

from collections.abc import Collection
from dataclasses import dataclass, replace
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

    def among(self, rungs: Collection[str]) -> "Published | None":
        """Return the figures that these rungs can be held against; None where there are none."""
        figures = tuple(figure for figure in self.figures if figure.rung in rungs)
        return replace(self, figures=figures) if figures else None


# By its abstract; the rungs are those of the preset `paper`.
PAPER = Published(
    source="arXiv 2508.20469, five-fold cross-validation, without intervals",
    cohort="1497 patients of another, retrospective cohort",
    figures=(
        PublishedFigure(
            what="Swin Transformer", measure="auc", value=0.715, rung="Swin embedding"
        ),
        PublishedFigure(what="fusion", measure="auc", value=0.803, rung="fused"),
        PublishedFigure(what="fusion", measure="accuracy", value=0.752, rung="fused"),
        PublishedFigure(what="fusion", measure="sensitivity", value=0.730, rung="fused"),
        PublishedFigure(what="fusion", measure="specificity", value=0.758, rung="fused"),
    ),
)
