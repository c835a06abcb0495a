"""What is too good to be true in a design matrix, before anyone trusts a model of it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from hnmets.datasets.dataset import Dataset
from hnmets.datasets.errors import listed
from hnmets.datasets.provenance import TRAINED_ON
from hnmets.datasets.rows import Rows
from hnmets.datasets.univariate import column_auc
from hnmets.sources.feature_table import SUSPICIOUS_AUC

# A copy of the outcome with one mistake in 40 still correlates this much.
_NEARLY_EQUAL = 0.95
# After Bonferroni over the columns: among thousands of noise columns and three events some
# reach an AUC of 1.
_CHANCE = 0.01
# Two patients may share age and sex, or have no nodes; not a texture.
_CONTINUOUS_KINDS = {"radiomics", "embedding", "size"}


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """Something that a person has to look at before the numbers count.

    Parameters
    ----------
    code
        D_OUTCOME_COPY, D_AUC, D_DUPLICATE, D_OUTCOME_DIFFERS or D_PROVENANCE.
    what
        What was found, with columns.
    next_step
        What to do about it.
    cases
        Whom it is about, where it is about some.
    """

    code: str
    what: str
    next_step: str
    cases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.text}. {self.next_step}"

    @property
    def text(self) -> str:
        """What was found, and in whom."""
        return f"{self.what}: {listed(self.cases)}" if self.cases else self.what

    @property
    def anonymous(self) -> "Suspicion":
        """What may leave the site: nobody is named."""
        about = f" ({len(self.cases)} cases)" if self.cases else ""
        return replace(self, what=f"{self.what}{about}", cases=())


def suspicions(dataset: Dataset) -> tuple[Suspicion, ...]:
    """Return everything suspicious; the caller stops or shows it, and never hides it."""
    return (
        *_telling_columns(dataset.rows),
        *_duplicates(dataset),
        *_contradictions(dataset.rows),
        *_unknown_provenance(dataset),
    )


def _telling_columns(rows: Rows) -> Iterator[Suspicion]:
    if rows.outcome.all() or not rows.outcome.any():
        return
    area = column_auc(rows.values, rows.outcome)
    likeness = _likeness(rows.values, rows.outcome)
    with np.errstate(invalid="ignore"):
        candidates = (np.maximum(area, 1 - area) > SUSPICIOUS_AUC) | (likeness >= _NEARLY_EQUAL)
    for place in np.flatnonzero(candidates):
        column, name = rows.values[:, place], rows.columns[place]
        if _by_chance(column, rows.outcome) * len(rows.columns) >= _CHANCE:
            continue
        if likeness[place] >= _NEARLY_EQUAL:
            yield Suspicion(
                code="D_OUTCOME_COPY",
                what=f"{name} is nearly the outcome: correlation {likeness[place]:.3f}",
                next_step="Take it out: it was written down with the outcome or after it.",
            )
        else:
            yield Suspicion(
                code="D_AUC",
                what=f"{name} alone tells the outcome apart with AUC {area[place]:.3f}",
                next_step="Find out when and how it was measured before using it.",
            )


def _likeness(values: NDArray[np.float64], outcome: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Absolute Pearson correlation of each column with the outcome; NaN where it is constant."""
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    event = np.where(known, outcome[:, np.newaxis], 0.0)
    column = np.where(known, values, 0.0)
    column = np.where(known, column - column.sum(axis=0) / counts, 0.0)
    event = np.where(known, event - event.sum(axis=0) / counts, 0.0)
    # Scaled first: squares of radiomics' largest values would overflow nothing but precision.
    largest = np.abs(column).max(axis=0, initial=0.0)
    column /= np.where(largest > 0, largest, 1.0)
    norm = np.sqrt((column**2).sum(axis=0) * (event**2).sum(axis=0))
    found: NDArray[np.float64] = np.divide(
        np.abs((column * event).sum(axis=0)),
        norm,
        out=np.full(values.shape[1], np.nan),
        where=norm > 0,
    )
    return found


def _by_chance(column: NDArray[np.float64], outcome: NDArray[np.bool_]) -> float:
    known = ~np.isnan(column)
    return float(mannwhitneyu(column[known & outcome], column[known & ~outcome]).pvalue)


def _duplicates(dataset: Dataset) -> Iterator[Suspicion]:
    rows = dataset.rows
    for recipe in dataset.recipes:
        if recipe.kind not in _CONTINUOUS_KINDS:
            continue
        block = rows.values[:, [name == recipe.name for name in rows.modalities]]
        groups: dict[bytes, list[int]] = defaultdict(list)
        for row, vector in enumerate(block):
            # All zeros is a region that the patient does not have; all NaN, a modality.
            if np.nan_to_num(vector).any():
                groups[vector.tobytes()].append(row)
        for group in groups.values():
            if len({rows.patient_ids[row] for row in group}) > 1:
                cases = [rows.case_ids[row] for row in group]
                yield Suspicion(
                    code="D_DUPLICATE",
                    what=f"{recipe.name} is the same for different patients",
                    next_step="Find out whose images they are: one may stand in two folds.",
                    cases=tuple(cases),
                )


def _contradictions(rows: Rows) -> Iterator[Suspicion]:
    outcomes: dict[str, set[bool]] = defaultdict(set)
    for patient, event in zip(rows.patient_ids, rows.outcome.tolist(), strict=True):
        outcomes[patient].add(event)
    both = [
        case
        for case, patient in zip(rows.case_ids, rows.patient_ids, strict=True)
        if len(outcomes[patient]) > 1
    ]
    if both:
        yield Suspicion(
            code="D_OUTCOME_DIFFERS",
            what="cases of one patient have different outcomes",
            next_step="Correct the manifest, or say why: folds count the patient as an event.",
            cases=tuple(both),
        )


def _unknown_provenance(dataset: Dataset) -> Iterator[Suspicion]:
    for recipe in dataset.recipes:
        if recipe.kind != "embedding" or not recipe.parameters.get("imported"):
            continue
        if TRAINED_ON not in recipe.parameters:
            yield Suspicion(
                code="D_PROVENANCE",
                what=f"{recipe.label} was imported without a word on its network's patients",
                next_step="Make sure that the network never saw these patients' outcomes.",
            )
