"""Images to a volume: order and spacing from positions along the normal, nothing by luck."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan, degrees

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry
from hnmets.domain.region import Scalar
from hnmets.sources.dicom.plane import Plane

# Positions are text of a few decimals; what differs by more was not meant to be equal.
_COSINE_TOLERANCE = 1e-4
_SPACING_TOLERANCE = 1e-4
# Where the spacing is off a regular grid by more than this part of it, slices are not where a
# volume would put them. Below, it is the rounding of positions to 0.01 mm.
_JITTER_TOLERANCE = 5e-3
# In-plane shift from one slice to the next, as part of their distance: a tilt of 0.06 degrees.
_TILT_TOLERANCE = 1e-3
_SAME_PLACE_MM = 1e-3
# A few wide steps among equal ones are slices that are missing; many are another spacing.
_GAP_SHARE = 0.2
_SHOWN = 4

Vectors = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Images in the order of their positions.

    Parameters
    ----------
    order
        Places of the given planes, feet to head or along whatever the normal is.
    twins
        Places of planes that lie where one in `order` lies: pairs (kept, other).
    distances_mm
        Of the slices in `order` along the normal, mm.
    geometry
        Of the slices in `order`; its slice spacing is the usual one where steps differ.
    uneven
        What is wrong with the steps, or None where the slices are a regular grid.
    flags
        What was let pass.
    """

    order: tuple[int, ...]
    twins: tuple[tuple[int, int], ...]
    distances_mm: Vectors
    geometry: Geometry
    uneven: CaseError | None = None
    flags: dict[str, Scalar] = field(default_factory=dict)


def stack(planes: Sequence[Plane], *, thickness_mm: float | None = None) -> Stack:
    """Order planes by position.

    Parameters
    ----------
    planes
        Of one series, in any order.
    thickness_mm
        Spacing of a series of one image, for want of a neighbour.

    Returns
    -------
    Stack
        With the geometry as ITK keeps it; slices grow along the normal, which is the cross
        product of the two in-plane axes.

    Raises
    ------
    CaseError
        E_GEOM_MIXED, E_GEOM_SHEAR (gantry tilt), E_GEOM_SPACING or E_IMG_SHAPE.
    """
    _require_one_grid(planes)
    axes, normal = _axes(planes[0])
    positions = np.array([plane.position_mm for plane in planes])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    kept, twins = _without_twins(order, along)
    _require_one_by_one([planes[place].acquisition for place in kept])
    distances = along[kept]
    _require_upright(positions[kept], normal, distances)
    spacing, uneven, flags = _spacing(distances, thickness_mm)
    row_mm, column_mm = planes[0].spacing_mm
    rows, columns = planes[0].shape
    x, y, z = (float(value) + 0.0 for value in positions[kept[0]])
    return Stack(
        order=tuple(int(place) for place in kept),
        twins=twins,
        distances_mm=distances,
        geometry=Geometry(
            shape=(len(kept), rows, columns),
            spacing_mm=(spacing, row_mm, column_mm),
            origin_mm=(x, y, z),
            direction=tuple(float(c) + 0.0 for c in np.column_stack([*axes, normal]).ravel()),
        ),
        uneven=uneven,
        flags=flags,
    )


def _require_one_grid(planes: Sequence[Plane]) -> None:
    first = planes[0]
    if min(first.shape) < 1 or min(first.spacing_mm) <= 0:
        raise CaseError(Code.IMAGE_SHAPE, f"images of {first.shape[0]} × {first.shape[1]} pixels")
    shapes = sorted({plane.shape for plane in planes})
    if len(shapes) > 1:
        sizes = ", ".join(f"{rows} × {columns}" for rows, columns in shapes[:_SHOWN])
        raise CaseError(Code.GEOMETRY_MIXED, f"images of different size in a series: {sizes}")
    cosines = np.array([(*plane.along_row, *plane.along_column) for plane in planes])
    turned = int((np.abs(cosines - cosines[0]).max(axis=1) > _COSINE_TOLERANCE).sum())
    if turned:
        raise CaseError(
            Code.GEOMETRY_MIXED, f"{turned} of {len(planes)} images are turned against the first"
        )
    steps = np.array([plane.spacing_mm for plane in planes])
    if np.abs(steps / steps[0] - 1).max() > _SPACING_TOLERANCE:
        raise CaseError(Code.GEOMETRY_MIXED, "images of different pixel spacing in a series")


def _require_one_by_one(acquisitions: Sequence[int | None]) -> None:
    """Refuse two acquisitions whose slices alternate: together they look like a finer one."""
    changes = sum(one != next_one for one, next_one in pairwise(acquisitions))
    kinds = len(set(acquisitions))
    if changes > kinds - 1:
        raise CaseError(
            Code.GEOMETRY_MIXED, f"slices of {kinds} acquisitions alternate along the patient"
        )


def _axes(plane: Plane) -> tuple[tuple[Vectors, Vectors], Vectors]:
    along_row, along_column = np.array(plane.along_row), np.array(plane.along_column)
    lengths = np.linalg.norm([along_row, along_column], axis=1)
    if np.abs(lengths - 1).max() > 1e-2 or abs(along_row @ along_column) > _COSINE_TOLERANCE * 10:
        raise CaseError(Code.GEOMETRY_SHEAR, "rows and columns of the images are not orthogonal")
    along_row = along_row / lengths[0]
    along_column = along_column / lengths[1]
    normal = np.cross(along_row, along_column)
    return (along_row, along_column), normal / np.linalg.norm(normal)


def _without_twins(
    order: NDArray[np.intp], along: Vectors
) -> tuple[list[int], tuple[tuple[int, int], ...]]:
    kept: list[int] = []
    twins: list[tuple[int, int]] = []
    for place in map(int, order):
        if kept and along[place] - along[kept[-1]] < _SAME_PLACE_MM:
            twins.append((kept[-1], place))
        else:
            kept.append(place)
    return kept, tuple(twins)


def _require_upright(positions: Vectors, normal: Vectors, distances: Vectors) -> None:
    """Refuse slices that wander in-plane: the tag of the gantry tilt may say anything."""
    if len(positions) < 2:
        return
    steps = np.diff(positions, axis=0)
    rises = np.diff(distances)
    shifts = np.linalg.norm(steps - np.outer(rises, normal), axis=1)
    whole = positions[-1] - positions[0]
    rise = distances[-1] - distances[0]
    drift = float(np.linalg.norm(whole - rise * normal))
    worst = float((shifts / rises).max())
    if worst <= _TILT_TOLERANCE and drift / rise <= _TILT_TOLERANCE:
        return
    angle = degrees(atan(drift / rise))
    if angle > 0.05:
        raise CaseError(
            Code.GEOMETRY_SHEAR,
            f"slices are shifted as under a gantry tilt of {angle:.1f} degrees",
        )
    raise CaseError(
        Code.GEOMETRY_SHEAR, f"neighbouring slices are shifted by up to {shifts.max():.3g} mm"
    )


def _spacing(
    distances: Vectors, thickness_mm: float | None
) -> tuple[float, CaseError | None, dict[str, Scalar]]:
    """Return the usual spacing (mm), what is wrong with the steps, and flags."""
    if len(distances) < 2:
        if thickness_mm is None:
            raise CaseError(Code.IMAGE_SHAPE, "a single image, and nothing says how thick")
        return thickness_mm, None, {"spacing_from_thickness": True}
    steps = np.diff(distances)
    usual = float(np.median(steps))
    mean = float((distances[-1] - distances[0]) / len(steps))
    # The mean of equal steps has one rounding, their median two.
    regular = distances[0] + mean * np.arange(len(distances))
    off = float(np.abs(distances - regular).max() / mean)
    if off <= _JITTER_TOLERANCE and np.abs(steps / mean - 1).max() <= _JITTER_TOLERANCE:
        flags: dict[str, Scalar] = {"spacing_jitter": off} if off > _SPACING_TOLERANCE else {}
        return _tidy(mean), None, flags
    return usual, _uneven(distances, steps, usual), {}


def _tidy(spacing: float) -> float:
    """Return the spacing without the noise of subtraction: 3.27, not 3.2700000000000005."""
    rounded = round(spacing, 6)
    return rounded if abs(rounded / spacing - 1) < 1e-9 else spacing


def _uneven(distances: Vectors, steps: Vectors, usual: float) -> CaseError:
    wide = np.flatnonzero(np.abs(steps / usual - 1) > _JITTER_TOLERANCE)
    multiples = steps[wide] / usual
    whole = bool((np.abs(multiples - np.rint(multiples)) < 0.02).all() and (multiples > 1.5).all())
    if whole and len(wide) <= max(1.0, _GAP_SHARE * len(steps)):
        missing = int(np.rint(multiples).sum()) - len(wide)
        places = ", ".join(f"{distances[i]:.1f} and {distances[i + 1]:.1f}" for i in wide[:_SHOWN])
        more = f" and {len(wide) - _SHOWN} more" if len(wide) > _SHOWN else ""
        count = "1 slice is" if missing == 1 else f"{missing} slices are"
        return CaseError(
            Code.GEOMETRY_GAP, f"{count} missing between {places} mm{more}, {usual:g} mm apart"
        )
    return CaseError(
        Code.GEOMETRY_SPACING,
        f"slices lie {steps.min():.4g} to {steps.max():.4g} mm apart, {usual:g} mm being usual",
    )
