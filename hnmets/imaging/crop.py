"""The cube around a tumour and its ring that a network looks at, cut before it is resampled."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Json
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry, Volume
from hnmets.domain.region import Scalar
from hnmets.imaging.box import Box, bounding_box
from hnmets.imaging.resample import Positions, inside, linear, nearest
from hnmets.imaging.window import quantised, unit

# Raised when the voxels of a crop change for the same case and parameters.
VERSION = 1
AIR_HU = -1024.0


@dataclass(frozen=True, kw_only=True)
class CropParameters:
    """Size of the cube and what of the CT is visible in it.

    Parameters
    ----------
    size_voxels
        Edge of the cube.
    spacing_mm
        Edge of its voxels; grows where tumour and ring do not fit.
    window_hu
        HU that become 0 and 1; everything beyond is clipped.
    """

    size_voxels: int = 96
    spacing_mm: float = 1.0
    window_hu: tuple[float, float] = (-160.0, 240.0)

    def __post_init__(self) -> None:
        low, high = self.window_hu
        if not (isfinite(low) and isfinite(high) and low < high):
            raise ValueError(f"window_hu is {self.window_hu}, must rise")
        if self.size_voxels < 1 or not 0 < self.spacing_mm < float("inf"):
            raise ValueError("size_voxels and spacing_mm must be above 0")

    @property
    def identity(self) -> dict[str, Json]:
        """The settings as JSON; 1 and 1.0 are the same."""
        return {
            "version": VERSION,
            "size_voxels": self.size_voxels,
            "spacing_mm": float(self.spacing_mm),
            "window_hu": [float(hu) for hu in self.window_hu],
        }


@dataclass(frozen=True, kw_only=True)
class Crop:
    """What a network sees of one case.

    Parameters
    ----------
    ct
        uint16 (D, H, W): 0 to 65535 stand for the HU window.
    tumour, ring
        bool (D, H, W) on the same grid.
    spacing_mm
        Edge of the voxels.
    spacing_grown
        Whether tumour and ring did not fit at the spacing that was asked for.
    share_outside
        Share of the crop that lies outside the volume and therefore is air.
    """

    ct: NDArray[np.uint16]
    tumour: NDArray[np.bool_]
    ring: NDArray[np.bool_]
    spacing_mm: float
    spacing_grown: bool = False
    share_outside: float = 0.0

    @property
    def window(self) -> NDArray[np.float32]:
        """The CT window as 0 to 1, float32 (D, H, W)."""
        return unit(self.ct)

    @property
    def flags(self) -> dict[str, Scalar]:
        """What a person should know about the crop."""
        return {
            "crop_spacing_mm": self.spacing_mm,
            "spacing_grown": self.spacing_grown,
            "share_outside_volume": self.share_outside,
        }


def cut(
    ct: Volume,
    *,
    tumour: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    parameters: CropParameters,
) -> Crop:
    """Cut the cube around tumour and ring and resample it once.

    The cube is centred on the box of both and keeps the axes of the volume. The CT is
    interpolated linearly and not smoothed before, the masks take the nearest voxel; the
    result equals resampling the whole volume.

    Parameters
    ----------
    ct
        HU, LPS orientation.
    tumour, ring
        bool (D, H, W) on the grid of the CT.

    Raises
    ------
    CaseError
        If a mask is empty, or so small that no voxel of it is left.
    """
    spacing_mm, positions = _grid(ct.geometry, tumour, ring, parameters)
    hu = linear(ct.voxels, positions, outside=AIR_HU)
    within = (inside(at, n).mean() for at, n in zip(positions, ct.voxels.shape, strict=True))
    return Crop(
        ct=quantised(hu, parameters.window_hu),
        tumour=_sampled("tumour", tumour, positions, spacing_mm),
        ring=_sampled("ring", ring, positions, spacing_mm),
        spacing_mm=spacing_mm,
        spacing_grown=spacing_mm > parameters.spacing_mm,
        share_outside=round(1 - float(np.prod(list(within))), 6),
    )


def crop_geometry(
    ct: Geometry,
    *,
    tumour: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    parameters: CropParameters,
) -> Geometry:
    """Return the grid that `cut` samples for the same case, without cutting.

    Raises
    ------
    CaseError
        If a mask is empty.
    """
    spacing_mm, (d, h, w) = _grid(ct, tumour, ring, parameters)
    return Geometry(
        shape=(parameters.size_voxels,) * 3,
        spacing_mm=(spacing_mm,) * 3,
        origin_mm=ct.position_mm((float(d[0]), float(h[0]), float(w[0]))),
        direction=ct.direction,
    )


def sampled_in_crop(
    masks: Mapping[str, NDArray[np.bool_]],
    ct: Geometry,
    *,
    tumour: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    parameters: CropParameters,
) -> dict[str, NDArray[np.bool_]]:
    """Return other masks of the case, bool (D, H, W), on the grid that `cut` samples.

    What lies outside the crop is gone: a mask may have no voxel left.

    Raises
    ------
    CaseError
        If tumour or ring are empty.
    """
    _, positions = _grid(ct, tumour, ring, parameters)
    return {name: nearest(mask, positions) for name, mask in masks.items()}


def _grid(
    ct: Geometry,
    tumour: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    parameters: CropParameters,
) -> tuple[float, Positions]:
    """Return spacing and positions of the cube."""
    box = _around(tumour, ring)
    spacing_mm = _fitting(box, ct.spacing_mm, parameters)
    return spacing_mm, _positions(box, ct.spacing_mm, parameters.size_voxels, spacing_mm)


def _around(tumour: NDArray[np.bool_], ring: NDArray[np.bool_]) -> Box:
    boxes = []
    for name, mask in (("tumour", tumour), ("ring", ring)):
        box = bounding_box(mask)
        if box is None:
            raise CaseError(Code.REGION_EMPTY, f"the {name} holds no voxel to cut around")
        boxes.append(box)
    d, h, w = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(*boxes, strict=True)
    )
    return d, h, w


def _fitting(box: Box, native_mm: tuple[float, ...], parameters: CropParameters) -> float:
    """Return the smallest spacing, from the one asked for up, at which the box fits."""
    extents_mm = [(s.stop - s.start) * mm for s, mm in zip(box, native_mm, strict=True)]
    return max(float(parameters.spacing_mm), float(max(extents_mm)) / parameters.size_voxels)


def _positions(
    box: Box, native_mm: tuple[float, ...], size_voxels: int, spacing_mm: float
) -> Positions:
    """Place the centres of the crop's voxels along (D, H, W), in voxels of the volume."""
    steps = np.arange(size_voxels) - (size_voxels - 1) / 2
    d, h, w = (
        (side.start + side.stop - 1) / 2 + steps * (spacing_mm / mm)
        for side, mm in zip(box, native_mm, strict=True)
    )
    return d, h, w


def _sampled(
    name: str, mask: NDArray[np.bool_], positions: Positions, spacing_mm: float
) -> NDArray[np.bool_]:
    sampled = nearest(mask, positions)
    if not sampled.any():
        raise CaseError(
            Code.REGION_SMALL, f"no voxel of the {name} is left in a crop of {spacing_mm:g} mm"
        )
    return sampled
