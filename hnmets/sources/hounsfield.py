"""Stored numbers of a CT to HU, and whether they look like HU."""

import numpy as np

from hnmets.domain.region import Scalar
from hnmets.sources.scaling import Numbers, require_finite, scaled, slabs

LOWEST_HU, HIGHEST_HU = -1024, 3071
_SAMPLES_PER_AXIS = 64


def to_hounsfield(
    stored: Numbers, *, slope: float, intercept: float
) -> tuple[Numbers, dict[str, Scalar]]:
    """Scale to HU and clip to −1024…3071, the range of 12-bit CT.

    Parameters
    ----------
    stored
        Array (D, H, W) as in the file; int16 that needs no scaling is clipped in place.

    Returns
    -------
    hu
        int16 (D, H, W) where every voxel is a whole number, else float64.
    flags
        share_clipped_hu where voxels were clipped; hu_suspect with the reasons.

    Raises
    ------
    CaseError
        If a voxel is not finite.
    """
    require_finite(stored)
    steps = tuple(slice(None, None, max(1, n // _SAMPLES_PER_AXIS)) for n in stored.shape)
    sample = scaled(stored[steps].copy(), slope=slope, intercept=intercept)
    native = stored.dtype == np.int16 and (slope, intercept) == (1.0, 0.0)
    hu = stored if native else np.empty(stored.shape, np.int16)
    clipped = _convert(stored, hu, slope=slope, intercept=intercept)
    if clipped is None:
        hu = np.empty(stored.shape, np.float64)
        clipped = _convert(stored, hu, slope=slope, intercept=intercept)
    flags: dict[str, Scalar] = {"share_clipped_hu": clipped / stored.size} if clipped else {}
    if reasons := suspicions(sample):
        flags["hu_suspect"] = "; ".join(reasons)
    return hu, flags


def _convert(stored: Numbers, hu: Numbers, *, slope: float, intercept: float) -> int | None:
    """Fill `hu` and count the clipped; None where a fraction does not fit whole numbers."""
    clipped = 0
    for slab in slabs(stored.shape):
        values = scaled(stored[slab], slope=slope, intercept=intercept)
        fractions = values.dtype.kind == "f" and hu.dtype.kind != "f"
        if fractions and not np.array_equal(np.rint(values), values):
            return None
        clipped += int(np.count_nonzero(values < LOWEST_HU))
        clipped += int(np.count_nonzero(values > HIGHEST_HU))
        np.clip(values, LOWEST_HU, HIGHEST_HU, out=hu[slab], casting="unsafe")
    return clipped


def suspicions(sample: Numbers) -> list[str]:
    """Say why a CT's numbers may not be HU; empty where they look right.

    A CT may be cropped: soft tissue at the border is normal, missing air is not a sign.

    Parameters
    ----------
    sample
        Unclipped values (D, H, W), thinned by whole rows, columns and slices.
    """
    values = sample.astype(np.float64)
    tissue = values[values >= -300]
    median = float(np.median(tissue)) if tissue.size else 0.0
    border = np.concatenate([values[:, [0, -1], :].ravel(), values[:, :, [0, -1]].ravel()])
    air = border[border < -400]
    air_median = float(np.median(air)) if air.size > 0.05 * border.size else -1000.0
    has_air = np.mean(values < -500) > 0.001
    dense = float(np.mean(values > 800))
    found = {
        "values above 32767: negative HU stored without a sign": bool((values > 32767).any()),
        "values below -1500: padding, or the intercept applied twice": np.mean(values < -1500)
        > 0.001,
        f"air at the border lies at {air_median:.0f} HU": not -1100 <= air_median <= -650,
        f"the median of tissue is {median:.0f} HU": not -150 <= median <= 150,
        "no voxel below -50 HU, neither fat nor air: not HU?": float(values.min()) > -50,
        "hardly any voxel is soft tissue": np.mean(np.abs(values) <= 200) < 0.02,
        f"no air, but {dense:.0%} above 800 HU: the intercept is missing": not has_air
        and dense > 0.1,
    }
    return [reason for reason, is_so in found.items() if is_so]
