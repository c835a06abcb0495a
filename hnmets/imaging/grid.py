"""Whether a mask lies on the grid of its image."""

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry, Volume
from hnmets.domain.region import Scalar

# A NIfTI round trip moves an origin by 1e-5 mm; a drawing on another grid is off by far more.
SNAP_VOXELS = 1e-3


def snap(labelmap: Volume, image: Geometry) -> tuple[Volume, dict[str, Scalar]]:
    """Put a mask onto the grid of its image where they differ by rounding alone.

    Parameters
    ----------
    labelmap
        In the same orientation as the image.

    Returns
    -------
    labelmap
        The same voxels with the geometry of the image.
    flags
        geometry_snapped where the headers differed at all.

    Raises
    ------
    CaseError
        If sizes differ, or any voxel would move by 0.001 of its width or more; both headers
        are printed.
    """
    drawn = labelmap.geometry
    if drawn == image:
        return labelmap, {}
    if drawn.shape != image.shape:
        raise _mismatch("size", drawn, image)
    moved = np.linalg.norm(_corners(drawn) - _corners(image), axis=1).max()
    if moved / min(image.spacing_mm) >= SNAP_VOXELS:
        raise _mismatch(_differing(drawn, image), drawn, image)
    return replace(labelmap, geometry=image), {"geometry_snapped": True}


def _corners(geometry: Geometry) -> NDArray[np.float64]:
    """Return the positions of the eight corner voxels, mm, shape (8, 3)."""
    steps = np.array(geometry.direction).reshape(3, 3) * np.array(geometry.spacing_mm[::-1])
    last = [(0, size - 1) for size in reversed(geometry.shape)]
    positions: NDArray[np.float64] = np.array(list(product(*last))) @ steps.T + geometry.origin_mm
    return positions


def _differing(drawn: Geometry, image: Geometry) -> str:
    names = {"spacing_mm": "spacing", "origin_mm": "origin", "direction": "direction"}
    return " and ".join(
        name
        for attribute, name in names.items()
        if not np.allclose(getattr(drawn, attribute), getattr(image, attribute), rtol=0, atol=1e-5)
    )


def _mismatch(what: str, drawn: Geometry, image: Geometry) -> CaseError:
    return CaseError(
        Code.GEOMETRY_MISMATCH,
        f"image and mask differ in {what}; image {_header(image)} | mask {_header(drawn)}",
    )


def _header(geometry: Geometry) -> str:
    size = " × ".join(str(n) for n in reversed(geometry.shape))
    spacing = " × ".join(f"{s:.6g}" for s in reversed(geometry.spacing_mm))
    origin = ", ".join(f"{c:.6g}" for c in geometry.origin_mm)
    direction = ", ".join(f"{c:.5g}" for c in geometry.direction)
    return f"size {size}, spacing {spacing} mm, origin ({origin}), direction ({direction})"
