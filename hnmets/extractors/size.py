"""How large a region is: the baseline that every other feature has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from feature_store.recipe import Recipe
from hnmets.domain.case import ImagedCase
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry
from hnmets.domain.region import DrawnRegion, Region, RegionRule
from hnmets.extractors.altered import altered
from hnmets.extractors.base import Features
from hnmets.extractors.parts import parts_of, rule_identity
from hnmets.imaging.box import bounding_box
from hnmets.imaging.parts import connected_parts

if TYPE_CHECKING:
    from hnmets.imaging.alteration import Alteration

COLUMNS = ("mesh_volume_cc", "voxel_volume_cc", "surface_area_cm2", "longest_diameter_mm")


@dataclass(frozen=True, kw_only=True)
class Size:
    """Volume, surface and longest diameter of one region, as it was drawn.

    Measured on the grid of the CT, so that the size depends on the contour alone and not on
    the settings of the radiomics, whose shape features see a resampled mask. Volume and surface
    are those of the whole region; the diameter is that of its longest part, so that of several
    nodes drawn as one region it is the largest node's and not the length of the chain.

    Parameters
    ----------
    region
        Name of the region.
    rule
        How the region came about; part of the recipe's identity.
    around
        Rule of the region that a ring lies around; part of the identity too.
    alteration
        The control or perturbation that the cases went through; part of the identity.

    References
    ----------
    IBSI, doi:10.1148/radiol.2020191145: volume (mesh) RNU0, volume (voxel counting) YEKZ,
    surface area (mesh) C0JK, maximum 3D diameter L0JK.
    """

    region: str
    rule: RegionRule
    around: DrawnRegion | None = None
    alteration: "Alteration | None" = None

    @cached_property
    def recipe(self) -> Recipe:
        """Identity in the store."""
        plain = Recipe(
            name=f"size.{self.region}",
            kind="size",
            version=2,
            columns=COLUMNS,
            parameters={
                "grid": "native",
                "mesh": "pyradiomics",
                "region": rule_identity(self.rule, self.around),
            },
            libraries={"pyradiomics-bhklab": version("pyradiomics-bhklab")},
        )
        return altered(plain, self.alteration)

    def extract(self, case: ImagedCase) -> Sequence[Features]:
        """Measure the region: one row per part; what a case lacks has size 0, flagged.

        Raises
        ------
        CaseError
            If the region holds no voxel.
        """
        parts = parts_of(case, self.region)
        if not parts:
            # No nodes is a finding, not a gap: their volume is 0 by definition.
            return (Features(values=np.zeros(len(COLUMNS)), flags={"region_absent": True}),)
        return tuple(_measure(part, case.ct.geometry) for part in parts)


def _measure(part: Region, geometry: Geometry) -> Features:
    box = bounding_box(part.mask)
    if box is None:
        raise CaseError(Code.REGION_EMPTY, f"region '{part.name}' holds no voxel")
    mask = part.mask[box]
    # Half a second of imports, which a build that finds nothing to do shall not pay.
    from hnmets.extractors.fast_radiomics.mesh import area_and_volume, diameters

    area_mm2, volume_mm3 = area_and_volume(mask, geometry.spacing_mm)
    parts = connected_parts(mask)
    diameter_mm = max(diameters(each, geometry.spacing_mm).any for each in parts)
    n_voxels = int(np.count_nonzero(mask))
    voxel_volume_mm3 = n_voxels * geometry.voxel_volume_mm3
    return Features(
        values=np.array([volume_mm3 / 1000, voxel_volume_mm3 / 1000, area_mm2 / 100, diameter_mm]),
        part=part.part,
        flags={**part.flags, "voxels": n_voxels},
    )
