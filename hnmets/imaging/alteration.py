"""A case as a control or a perturbation shows it: the one place where read cases are changed."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Volume
from hnmets.domain.region import Region, RegionRule
from hnmets.imaging.controls import Control
from hnmets.imaging.perturbations import Perturbation
from hnmets.imaging.regions import build_regions, reflagged

Alteration = Control | Perturbation
Regions = dict[str, tuple[Region, ...]]


def altered_case(
    alteration: Alteration | None,
    rules: Mapping[str, RegionRule],
    *,
    ct: Volume,
    labelmaps: Mapping[str, Volume],
    case_id: str,
) -> tuple[Volume, Regions]:
    """Return the CT and the regions of a case, altered where that is asked for.

    A perturbation is another scan or another contour: the rings see it, as they would on that
    day. A control replaces what lies in the regions of the real image: they stay.

    Parameters
    ----------
    ct, labelmaps
        As for `build_regions`.

    Raises
    ------
    CaseError, InvalidDataError
        See `build_regions`; and if a control needs a region that the case lacks.
    """
    if isinstance(alteration, Perturbation):
        ct = alteration.rescanned(ct, case_id=case_id)
        redraw = partial(alteration.redrawn, spacing_mm=ct.geometry.spacing_mm, case_id=case_id)
        return ct, build_regions(rules, ct=ct, labelmaps=labelmaps, redraw=redraw)
    regions = build_regions(rules, ct=ct, labelmaps=labelmaps)
    if alteration is None:
        return ct, regions
    inside = _whole(regions.get(alteration.region, ()), ct.geometry.shape)
    ct = alteration.replaced(ct, inside=inside, case_id=case_id)
    return ct, reflagged(regions, ct)


def _whole(parts: tuple[Region, ...], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    whole = np.zeros(shape, bool)
    for part in parts:
        whole |= part.mask
    return whole
