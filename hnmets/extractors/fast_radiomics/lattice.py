"""The grid on which a region is measured: PyRadiomics' own, to the last bit."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry
from hnmets.imaging.box import Box

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """A box of voxels around a region, on the CT's own grid or on a finer or coarser one.

    Parameters
    ----------
    shape
        Voxels along (D, H, W).
    spacing_mm
        Along (D, H, W), mm.
    origin_mm
        Position (x, y, z) of the first voxel, mm.
    image
        Geometry of the CT that is sampled.
    crop
        Where the lattice is a part of the CT's own grid: that part. None where it is not, and
        voxels have to be interpolated.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple
    image: Geometry
    crop: Box | None = None

    @cached_property
    def step(self) -> NDArray[np.float64]:
        """Matrix (3, 3) from an index (w, h, d) to millimetres (x, y, z), as ITK holds it."""
        return _direction(self.image) * np.array(self.spacing_mm[::-1])

    @cached_property
    def to_index(self) -> NDArray[np.float64]:
        """Matrix (3, 3) from millimetres to an index of the CT, as ITK holds it.

        ITK inverts by singular value decomposition, whose last bits only ITK can give.
        """
        import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses

        voxel = sitk.Image(1, 1, 1, sitk.sitkUInt8)
        voxel.SetSpacing(self.image.spacing_mm[::-1])
        voxel.SetDirection(self.image.direction)
        columns = [voxel.TransformPhysicalPointToContinuousIndex(e) for e in np.eye(3).tolist()]
        return np.ascontiguousarray(np.transpose(columns))


def lattice_around(
    box: Box, geometry: Geometry, *, spacing_mm: Triple | None, pad_voxels: int
) -> Lattice:
    """Lay PyRadiomics' grid around a region.

    The voxels of the grid are multiples of the new spacing from the corner of the CT. A direction
    in which the region has one slice is not resampled.

    Parameters
    ----------
    box
        Where the region lies in the CT, (D, H, W).
    spacing_mm
        New spacing (D, H, W), mm; None keeps the CT's.
    pad_voxels
        New voxels beside the region, as far as the CT reaches.

    References
    ----------
    PyRadiomics 3.1, `imageoperations.resampleImage` and `cropToTumorMask`.
    """
    old = np.array(geometry.spacing_mm[::-1])
    start = np.array([side.start for side in box[::-1]])
    size = np.array([side.stop - side.start for side in box[::-1]])
    new = old if spacing_mm is None else np.where(size != 1, spacing_mm[::-1], old)
    if np.allclose(old, new):
        return cropped(box, geometry, pad_voxels=pad_voxels)
    ratio = old / new
    low = np.maximum(np.floor((start - 0.5) * ratio - pad_voxels), 0)
    high = np.ceil((start + size - 0.5) * ratio + pad_voxels)
    last = np.ceil(np.array(geometry.shape[::-1]) * ratio) - 1
    shape = (np.minimum(high, last) - low + 1).astype(int)
    origin = _position(0.5 * (new - old) / old + low / ratio, geometry)
    w, h, d = shape.tolist()
    return Lattice(
        shape=(d, h, w), spacing_mm=_triple(new[::-1]), origin_mm=origin, image=geometry
    )


def cropped(box: Box, geometry: Geometry, *, pad_voxels: int) -> Lattice:
    """Return the part of the CT's own grid that lies around a region."""
    d, h, w = (
        slice(max(side.start - pad_voxels, 0), min(side.stop + pad_voxels, n))
        for side, n in zip(box, geometry.shape, strict=True)
    )
    return Lattice(
        shape=(d.stop - d.start, h.stop - h.start, w.stop - w.start),
        spacing_mm=geometry.spacing_mm,
        origin_mm=_position(np.array([w.start, h.start, d.start], dtype=np.float64), geometry),
        image=geometry,
        crop=(d, h, w),
    )


def _direction(geometry: Geometry) -> NDArray[np.float64]:
    return np.array(geometry.direction, dtype=np.float64).reshape(3, 3)


def _position(index: NDArray[np.float64], geometry: Geometry) -> Triple:
    """Return where an index (w, h, d) lies, adding in ITK's order."""
    step = _direction(geometry) * np.array(geometry.spacing_mm[::-1])
    rows = [row[0] * index[0] + row[1] * index[1] + row[2] * index[2] for row in step]
    return _triple(np.array(rows) + np.array(geometry.origin_mm))


def _triple(values: NDArray[np.float64]) -> Triple:
    a, b, c = values.tolist()
    return a, b, c
