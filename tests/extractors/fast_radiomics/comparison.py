"""Whether two sets of features are the same, as far as double precision can tell."""

from collections.abc import Mapping
from math import isnan

import pytest

from hnmets.domain.errors import CaseError
from hnmets.domain.geometry import Volume
from hnmets.extractors import pyradiomics_engine
from hnmets.extractors.fast_radiomics import engine
from hnmets.extractors.fast_radiomics.engine import NotCoveredError
from hnmets.extractors.measurement import Measured
from hnmets.extractors.radiomics_parameters import RadiomicsParameters
from tests.extractors.fast_radiomics.phantoms import Mask

NEAR_ZERO = 1e-12
# What may be nothing but a rounding error is measured against what it is a rounding error of.
#
# Square roots, of which the square is compared: the axes of a line or a tilted plane, where
# PyRadiomics takes the root of a complex pair of eigenvalues near 0, and Imc2, √(1 − exp(−2 Δ)),
# of two entropies that agree.
ROOTS = {
    "original_shape_LeastAxisLength": "original_shape_MajorAxisLength",
    "original_shape_MinorAxisLength": "original_shape_MajorAxisLength",
    "original_shape_Flatness": None,
    "original_shape_Elongation": None,
}


def deviations(
    mine: Mapping[str, float], theirs: Mapping[str, float], *, rel: float = 1e-9
) -> dict[str, tuple[float, float]]:
    """Return the features that differ, with both values; NaN equals NaN, names must agree."""
    assert list(mine) == list(theirs)
    return {
        name: (mine[name], value)
        for name, value in theirs.items()
        if not _is_close(mine[name], value, rel) and not _is_rounding(name, mine[name], theirs)
    }


def _is_close(mine: float, theirs: float, rel: float) -> bool:
    if isnan(mine) or isnan(theirs):
        return isnan(mine) and isnan(theirs)
    return mine == theirs or abs(mine - theirs) <= max(rel * abs(theirs), NEAR_ZERO)


def _is_rounding(name: str, mine: float, theirs: Mapping[str, float]) -> bool:
    if name in ROOTS or name.endswith("_Imc2"):
        largest = ROOTS.get(name)
        scale = theirs[largest] if largest else 1.0
        return abs(mine**2 - theirs[name] ** 2) <= NEAR_ZERO * scale**2
    if name.endswith("_ClusterShade"):
        # Third powers that cancel; their magnitudes add up to no more than Σ |…|⁴ ^ ¾.
        prominence = theirs[name.replace("Shade", "Prominence")]
        return abs(mine - theirs[name]) <= NEAR_ZERO * prominence**0.75
    return False


def assert_measured_as_by_pyradiomics(
    ct: Volume, mask: Mask, parameters: RadiomicsParameters, *, rel: float = 1e-9
) -> None:
    """Let both engines measure a region, and compare all that they say of it.

    What the fast engine leaves to PyRadiomics is that which PyRadiomics refuses, too.
    """
    try:
        theirs = pyradiomics_engine.measure(ct, mask, parameters)
    except CaseError as refusal:
        _assert_refused(ct, mask, parameters, refusal)
        return
    mine = engine.measure(ct, mask, parameters)
    assert deviations(mine.values, theirs.values, rel=rel) == {}
    assert seen(mine) == seen(theirs)


def _assert_refused(
    ct: Volume, mask: Mask, parameters: RadiomicsParameters, refusal: CaseError
) -> None:
    with pytest.raises((CaseError, NotCoveredError)) as caught:
        engine.measure(ct, mask, parameters)
    if isinstance(caught.value, CaseError):
        assert (caught.value.code, str(caught.value)) == (refusal.code, str(refusal))


def seen(measured: Measured) -> tuple[tuple[int, int, int], int, float, float]:
    """Return what a measurement says of the region besides its features."""
    return measured.box, measured.n_voxels, measured.lowest_hu, measured.highest_hu
