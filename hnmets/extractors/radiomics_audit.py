"""Whether the fast engine is true: a region measured once more, by PyRadiomics."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Recipe
from hnmets.domain.case import ImagedCase
from hnmets.extractors.base import Features
from hnmets.extractors.radiomics import Radiomics

TOLERANCE = 1e-6
_NEAR_ZERO = 1e-12


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How far the fast engine is from PyRadiomics in one region of one case.

    Parameters
    ----------
    worst
        The largest difference of a feature, relative to its magnitude; 1 where one engine has
        a value and the other has none.
    feature
        The feature that it is of.
    """

    case_id: str
    recipe: str
    part: int
    worst: float
    feature: str

    @property
    def is_true(self) -> bool:
        """Whether the fast values may stay."""
        return self.worst <= TOLERANCE

    def __str__(self) -> str:
        return f"case {self.case_id}, {self.recipe}: {self.worst:.1e} ({self.feature})"


@dataclass(frozen=True, kw_only=True)
class RadiomicsAudit:
    """Compares the fast engine's features of a region with PyRadiomics' own.

    Parameters
    ----------
    audited
        The extractor whose rows are compared.
    """

    audited: Radiomics

    @cached_property
    def recipe(self) -> Recipe:
        """Identity of the audit's own rows: one per case and part that was compared."""
        return Recipe(
            name=f"audit.{self.audited.recipe.name}",
            kind="audit",
            columns=("worst_relative_difference", "worst_feature"),
            types=("double", "text"),
            parameters={"audited": self.audited.recipe.fingerprint},
            libraries=self.audited.recipe.libraries,
        )

    def compare(
        self, case: ImagedCase, found: Sequence[Features]
    ) -> tuple[tuple[Features, ...], tuple[Verdict, ...]]:
        """Measure the case with PyRadiomics too.

        Returns
        -------
        features
            As they shall be stored: where the fast engine is not true, PyRadiomics' own, flagged.
        verdicts
            One per part.

        Raises
        ------
        CaseError
            If PyRadiomics refuses the region.
        """
        exact = self._by_pyradiomics.extract(case)
        verdicts = tuple(
            self._verdict(case.case_id, mine, theirs)
            for mine, theirs in zip(found, exact, strict=True)
        )
        features = tuple(
            mine if verdict.is_true else _replaced(theirs, verdict)
            for mine, theirs, verdict in zip(found, exact, verdicts, strict=True)
        )
        return features, verdicts

    @cached_property
    def _by_pyradiomics(self) -> Radiomics:
        parameters = replace(self.audited.parameters, engine="pyradiomics")
        return replace(self.audited, parameters=parameters)

    def _verdict(self, case_id: str, mine: Features, theirs: Features) -> Verdict:
        differences = relative_differences(mine.values, theirs.values, self.audited.recipe.columns)
        worst = int(np.argmax(differences))
        return Verdict(
            case_id=case_id,
            recipe=self.audited.recipe.label,
            part=mine.part,
            worst=float(differences[worst]),
            feature=self.audited.recipe.columns[worst],
        )


def relative_differences(
    mine: NDArray[np.floating], theirs: NDArray[np.floating], columns: Sequence[str]
) -> NDArray[np.float64]:
    """Return |a − b| / max(|a|, |b|) of each feature.

    0 where both are absent, differ by less than 1e-12, or are nothing but what rounding leaves
    of a zero; 1 where one of them is absent.

    Examples
    --------
    >>> a, b = np.array([1.0, 0.0, np.nan]), np.array([2.0, 1e-13, np.nan])
    >>> relative_differences(a, b, ("x", "y", "z"))
    array([0.5, 0. , 0. ])
    """
    difference = np.abs(np.asarray(mine, np.float64) - theirs)
    scale = np.maximum(np.abs(mine), np.abs(theirs))
    told = difference > _NEAR_ZERO
    for place in np.flatnonzero(told):
        told[place] = not _is_rounding(int(place), mine, theirs, columns)
    relative = np.zeros(difference.shape)
    np.divide(difference, scale, out=relative, where=told)
    relative[np.isnan(mine) != np.isnan(theirs)] = 1
    return relative


def _is_rounding(
    place: int,
    mine: NDArray[np.floating],
    theirs: NDArray[np.floating],
    columns: Sequence[str],
) -> bool:
    """Whether two values are rounding errors of a number that is mathematically 0.

    A root magnifies the error of what is under it: Imc2 of two entropies that agree, the axes of
    a flat region. A cluster shade cancels third powers, whose magnitudes add up to no more than
    the prominence to the power of ¾.
    """
    name = columns[place]
    if name.endswith(("_Imc2", "_Flatness", "_Elongation")):
        return abs(float(mine[place]) ** 2 - float(theirs[place]) ** 2) <= _NEAR_ZERO
    if name.endswith(("_LeastAxisLength", "_MinorAxisLength")):
        largest = float(theirs[columns.index("original_shape_MajorAxisLength")])
        squares = float(mine[place]) ** 2 - float(theirs[place]) ** 2
        return bool(abs(squares) <= _NEAR_ZERO * largest**2)
    if name.endswith("_ClusterShade"):
        prominence = float(theirs[columns.index(name.replace("Shade", "Prominence"))])
        return bool(abs(float(mine[place] - theirs[place])) <= _NEAR_ZERO * prominence**0.75)
    return False


def _replaced(theirs: Features, verdict: Verdict) -> Features:
    why = f"the audit found a relative difference of {verdict.worst:.1e} in {verdict.feature}"
    return replace(theirs, flags={**theirs.flags, "measured_by_pyradiomics": why})
