"""A series with uneven steps, brought to a regular grid by the true positions of its slices."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hnmets.domain.geometry import Geometry, Volume

Distances = NDArray[np.float64]


def even_distances(distances_mm: Distances) -> Distances:
    """Return positions from the first to the last slice, as dense as the closest two slices."""
    finest = float(np.diff(distances_mm).min())
    count = round(float(distances_mm[-1] - distances_mm[0]) / finest) + 1
    return np.linspace(distances_mm[0], distances_mm[-1], count)


def even_geometry(geometry: Geometry, even: Distances) -> Geometry:
    """Return the grid of the same images at other positions."""
    _, row_mm, column_mm = geometry.spacing_mm
    return replace(
        geometry,
        shape=(len(even), *geometry.shape[1:]),
        spacing_mm=(float(even[1] - even[0]), row_mm, column_mm),
    )


def even_ct(volume: Volume, distances_mm: Distances, even: Distances) -> Volume:
    """Interpolate a CT linearly between its slices; whole HU stay whole.

    Parameters
    ----------
    volume
        (D, H, W), HU.
    distances_mm, even
        Of its slices, and of the slices wanted, along the normal.
    """
    lower, share = _between(distances_mm, even)
    upper = np.minimum(lower + 1, len(distances_mm) - 1)
    voxels = volume.voxels
    out = np.empty((len(even), *voxels.shape[1:]), voxels.dtype)
    for place, (low, high, part) in enumerate(zip(lower, upper, share, strict=True)):
        mixed = voxels[low] * (1 - part) + voxels[high] * part
        out[place] = np.rint(mixed) if voxels.dtype.kind == "i" else mixed
    return Volume(voxels=out, geometry=even_geometry(volume.geometry, even))


def even_mask(
    mask: NDArray[np.bool_],
    distances_mm: Distances,
    even: Distances,
    pixel_mm: tuple[float, float],
) -> NDArray[np.bool_]:
    """Interpolate a region between its slices by the signed distance to its outline.

    Parameters
    ----------
    mask
        bool (D, H, W).
    pixel_mm
        Spacing of rows and columns.

    References
    ----------
    Raya & Udupa 1990, doi:10.1109/42.52980.
    """
    lower, share = _between(distances_mm, even)
    upper = np.minimum(lower + 1, len(distances_mm) - 1)
    out = np.zeros((len(even), *mask.shape[1:]), np.bool_)
    signed: dict[int, NDArray[np.float64]] = {}
    for place, (low, high, part) in enumerate(zip(lower, upper, share, strict=True)):
        if part == 0 or not (mask[low].any() and mask[high].any()):
            out[place] = mask[low if part < 0.5 else high]
            continue
        for number in (low, high):
            if number not in signed:
                signed[number] = _signed_distance(mask[number], pixel_mm)
        out[place] = signed[low] * (1 - part) + signed[high] * part > 0
    return out


def _between(distances_mm: Distances, even: Distances) -> tuple[NDArray[np.intp], Distances]:
    """Return the slice below each position, and how far on the way to the next it lies."""
    lower = np.clip(np.searchsorted(distances_mm, even, side="right") - 1, 0, None)
    last = len(distances_mm) - 1
    steps = np.diff(distances_mm, append=distances_mm[-1] + 1)
    share = np.where(lower < last, (even - distances_mm[lower]) / steps[lower], 0.0)
    return lower, np.where(np.abs(share) < 1e-6, 0.0, share)


def _signed_distance(
    image: NDArray[np.bool_], pixel_mm: tuple[float, float]
) -> NDArray[np.float64]:
    inner = ndimage.distance_transform_edt(image, sampling=pixel_mm)
    outer = ndimage.distance_transform_edt(~image, sampling=pixel_mm)
    return np.asarray(inner - outer)
