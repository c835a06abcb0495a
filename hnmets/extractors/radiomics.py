"""Radiomic features of one region: shape, intensities and texture as PyRadiomics defines them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from math import floor, inf
from typing import TYPE_CHECKING

import numpy as np

from feature_store.recipe import Recipe
from hnmets.domain.case import ImagedCase
from hnmets.domain.geometry import Volume
from hnmets.domain.region import DrawnRegion, Region, RegionRule, Scalar
from hnmets.extractors.altered import altered
from hnmets.extractors.base import Features
from hnmets.extractors.measurement import require_length
from hnmets.extractors.parts import parts_of, rule_identity
from hnmets.extractors.radiomics_names import image_names
from hnmets.extractors.radiomics_parameters import RadiomicsParameters

if TYPE_CHECKING:
    from hnmets.extractors.measurement import Measured
    from hnmets.imaging.alteration import Alteration

# Beyond this the texture matrices are mostly empty: metal in the region, or too fine a width.
MANY_BINS = 256


@dataclass(frozen=True, kw_only=True)
class Radiomics:
    """PyRadiomics' features of one region, 1562 by default.

    Parameters
    ----------
    region
        Name of the region.
    rule
        How the region came about; part of the recipe's identity.
    around
        Rule of the region that a ring lies around; part of the identity too.
    parameters
        Settings of the extraction.
    memory_gib
        What the process may use: larger regions are refused before the work; no identity.
    alteration
        The control or perturbation that the cases went through; part of the identity.

    References
    ----------
    van Griethuysen et al., doi:10.1158/0008-5472.CAN-17-0339.
    """

    region: str
    rule: RegionRule
    around: DrawnRegion | None = None
    parameters: RadiomicsParameters = field(default_factory=RadiomicsParameters)
    memory_gib: float = inf
    alteration: "Alteration | None" = None

    @cached_property
    def recipe(self) -> Recipe:
        """Identity in the store.

        PyRadiomics defines the values of both engines. NumPy is not part of the identity: its
        patch releases do not move the values.
        """
        plain = Recipe(
            name=f"radiomics.{self.region}",
            kind="radiomics",
            columns=self.parameters.columns,
            parameters={
                "region": rule_identity(self.rule, self.around),
                **self.parameters.identity,
            },
            libraries={
                name: version(name) for name in ("pyradiomics-bhklab", "SimpleITK", "PyWavelets")
            },
        )
        return altered(plain, self.alteration)

    def extract(self, case: ImagedCase) -> Sequence[Features]:
        """Measure the region: one row per part, a row without values where it is absent.

        Raises
        ------
        CaseError
            If the region is too small for texture, or PyRadiomics refuses it.
        """
        parts = parts_of(case, self.region)
        if not parts:
            return (self._absent(),)
        return tuple(self._measure(case.ct, part) for part in parts)

    def _absent(self) -> Features:
        return Features(
            values=np.full(len(self.parameters.columns), np.nan),
            reasons={"*": f"the case has no region '{self.region}'"},
            flags={"region_absent": True},
        )

    def _measure(self, ct: Volume, part: Region) -> Features:
        require_length(ct, self.parameters)
        measured, why_not_fast = self._by_engine(ct, part)
        values = np.array([measured.values.get(c, np.nan) for c in self.parameters.columns])
        reasons = _reasons(measured, self.parameters)
        values[~np.isfinite(values)] = np.nan
        return Features(
            values=values,
            part=part.part,
            reasons=reasons,
            flags={
                **part.flags,
                **_flags(measured, self.parameters),
                **({"measured_by_pyradiomics": why_not_fast} if why_not_fast else {}),
                "voxels": int(np.count_nonzero(part.mask)),
                "absent_features": int(np.isnan(values).sum()),
            },
            made_with={"numpy": np.__version__},
        )

    def _by_engine(self, ct: Volume, part: Region) -> "tuple[Measured, str | None]":
        """Measure with the engine in use; where the fast one gives up, say why."""
        # Half a second of imports, which a build that finds nothing to do shall not pay.
        from hnmets.extractors.pyradiomics_engine import measure as by_pyradiomics

        if self.parameters.engine_in_use == "pyradiomics":
            return by_pyradiomics(ct, part.mask, self.parameters), None
        from hnmets.extractors.fast_radiomics.engine import NotCoveredError, measure

        try:
            measured = measure(ct, part.mask, self.parameters, memory_gib=self.memory_gib)
        except NotCoveredError as error:
            return by_pyradiomics(ct, part.mask, self.parameters), str(error)
        return measured, None


def _reasons(measured: "Measured", parameters: RadiomicsParameters) -> dict[str, str]:
    """Say why values are absent: a filter that did not fit, a formula that has no result."""
    given = {name.split("_", 1)[0] for name in measured.values}
    size = " × ".join(str(n) for n in measured.box)
    reasons = {
        f"{image}_*": f"the box around the region, {size} voxels, is too small for the filter"
        for image in image_names(parameters.images, parameters.log_sigmas_mm)
        if image not in given
    }
    reasons |= {
        name: f"the formula gave {value}"
        for name, value in measured.values.items()
        if not np.isfinite(value)
    }
    return reasons


def _flags(measured: "Measured", parameters: RadiomicsParameters) -> Mapping[str, Scalar]:
    width = parameters.bin_width_hu
    bins = floor(measured.highest_hu / width) - floor(measured.lowest_hu / width) + 1
    if parameters.bin_count is not None:
        bins = parameters.bin_count
    return {
        "voxels_measured": measured.n_voxels,
        "bins": bins,
        "many_bins": bins > MANY_BINS,
        "flat_region": measured.highest_hu - measured.lowest_hu < width,
    }
