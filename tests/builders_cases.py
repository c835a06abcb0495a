"""Phantom cases: a textured CT with drawn regions, the same on every machine."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.case import ImagedCase
from hnmets.domain.geometry import Geometry, Volume
from hnmets.domain.region import Region

Triple = tuple[float, float, float]
Shape = tuple[int, int, int]

ORIGIN_MM = (-123.4, 51.7, 3.3)


def texture(shape: Shape) -> NDArray[np.int16]:
    """Coarse blocks with fine noise, -120 to 143 HU, from integers alone: no random stream."""
    z, y, x = np.indices(shape)
    coarse = (z // 3 + y // 4 + x // 5) % 5 * 40 - 120
    fine = (z * 7919 + y * 104729 + x * 1299709 + z * y * 31 + y * x * 17 + x * z * 13) % 104
    return (coarse + fine).astype(np.int16)


def ball(
    shape: Shape, *, centre: Triple, radius_mm: float, spacing_mm: Triple
) -> NDArray[np.bool_]:
    """Voxels whose centres lie within a radius of a voxel index (D, H, W)."""
    at = [(np.arange(n) - c) * s for n, c, s in zip(shape, centre, spacing_mm, strict=True)]
    z, y, x = np.meshgrid(*at, indexing="ij")
    inside: NDArray[np.bool_] = z**2 + y**2 + x**2 <= radius_mm**2
    return inside


def imaged_case(
    *,
    hu: NDArray[np.generic],
    masks: Mapping[str, NDArray[np.bool_] | tuple[NDArray[np.bool_], ...]],
    spacing_mm: Triple = (1.0, 1.0, 1.0),
    origin_mm: Triple = ORIGIN_MM,
    case_id: str = "P01",
) -> ImagedCase:
    """Return a case with the CT and the regions given; a tuple of masks is separate parts."""
    d, h, w = hu.shape
    geometry = Geometry(shape=(d, h, w), spacing_mm=spacing_mm, origin_mm=origin_mm)
    return ImagedCase(
        case_id=case_id,
        ct=Volume(voxels=hu, geometry=geometry),
        regions={name: _regions(name, mask) for name, mask in masks.items()},
    )


def ball_case(
    *,
    shape: Shape = (16, 44, 44),
    spacing_mm: Triple = (3.0, 1.0, 1.0),
    radius_mm: float = 8.0,
    centre: Triple | None = None,
) -> ImagedCase:
    """Return a case with a ball-shaped tumour in the texture, thick slices by default."""
    middle = centre or ((shape[0] - 1) / 2, (shape[1] - 1) / 2, (shape[2] - 1) / 2)
    tumour = ball(shape, centre=middle, radius_mm=radius_mm, spacing_mm=spacing_mm)
    return imaged_case(hu=texture(shape), masks={"tumour": tumour}, spacing_mm=spacing_mm)


def _regions(
    name: str, masks: NDArray[np.bool_] | tuple[NDArray[np.bool_], ...]
) -> tuple[Region, ...]:
    if isinstance(masks, tuple):
        return tuple(Region(name=name, mask=mask, part=n) for n, mask in enumerate(masks, 1))
    return (Region(name=name, mask=masks),)
