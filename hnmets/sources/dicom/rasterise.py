"""Polygons to voxels by the even-odd rule, on the slices where they were drawn.

A voxel belongs to a region when its centre lies inside: an odd number of edges lie between it and
the outside. So several contours on a slice add up, a contour inside another is a hole, and the
two banks of a keyhole's channel cancel. The border is true to half a voxel in-plane; along the
normal a contour fills the slice it was drawn on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Geometry

# Coordinates are text of a few decimals: what is meant to lie on a line of voxels shall.
_DECIMALS = 6
# A plane within a hundredth of a slice of one is that slice; further off is worth a flag.
_ON_PLANE = 0.01
_HALF_SLICE = 0.5 + 1e-6
# Contours further away than this many images are no contours of the image.
_FAR = 8

Points = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rasterised:
    """A region as voxels, and how well its contours fit the image.

    Parameters
    ----------
    mask
        bool (D, H, W).
    share_lost
        Part of the contours' area that lies outside of the image, 0 to 1.
    off_plane
        Contours that lie between slices, by more than a hundredth of their distance.
    slanted
        Contours that lie in no slice; they are left out and count as lost.
    undrawn_slices
        Slices without a contour between the first and the last with one.
    """

    mask: NDArray[np.bool_]
    share_lost: float = 0.0
    off_plane: int = 0
    slanted: int = 0
    undrawn_slices: int = 0


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """A polygon in voxels: its slice, and its corners as (row, column)."""

    slice_number: int
    corners: Points
    off_plane: bool


def rasterise(
    polygons: Sequence[Points], geometry: Geometry, distances_mm: NDArray[np.float64]
) -> Rasterised:
    """Fill polygons.

    Parameters
    ----------
    polygons
        Each (points, 3): x, y, z, LPS, mm; the last point joins the first.
    geometry
        Grid of the image; slices where `distances_mm` says, which need not be even.
    distances_mm
        Of the slices from the coordinate system's origin along the normal, growing.

    Raises
    ------
    CaseError
        E_RT_OUTSIDE where a contour lies further from the image than any patient reaches.
    """
    placed, slanted_area = _placed(polygons, geometry, distances_mm)
    depth, rows, columns = geometry.shape
    mask = np.zeros((depth, rows, columns), np.bool_)
    inside = total = 0
    drawn = sorted({each.slice_number for each in placed})
    for number in drawn:
        corners = [each.corners for each in placed if each.slice_number == number]
        filled, (top, left) = _filled(corners)
        total += int(np.count_nonzero(filled))
        if 0 <= number < depth:
            inside += _paste(filled, mask[number], top=top, left=left)
    pixel_mm2 = geometry.spacing_mm[1] * geometry.spacing_mm[2]
    whole = total + slanted_area / pixel_mm2
    return Rasterised(
        mask=mask,
        share_lost=1 - inside / whole if whole else 0.0,
        off_plane=sum(each.off_plane for each in placed),
        slanted=len(polygons) - len(placed),
        undrawn_slices=drawn[-1] - drawn[0] + 1 - len(drawn) if drawn else 0,
    )


def _placed(
    polygons: Sequence[Points], geometry: Geometry, distances_mm: NDArray[np.float64]
) -> tuple[list[_Placed], float]:
    """Return the polygons that lie in a plane parallel to the slices, and the others' area."""
    axes = np.reshape(geometry.direction, (3, 3))
    spacing = np.array(geometry.spacing_mm)
    placed: list[_Placed] = []
    slanted_area = 0.0
    for points in polygons:
        columns, rows, _ = ((points - geometry.origin_mm) @ axes / spacing[::-1]).T
        heights = points @ axes[:, 2]
        number, off = _slice_of(float(np.median(heights)), distances_mm, spacing[0])
        if np.ptp(heights) > 0.5 * spacing[0]:
            slanted_area += _area(points)
            continue
        corners = np.round(np.column_stack([rows, columns]), _DECIMALS)
        _require_near(corners, geometry)
        placed.append(_Placed(slice_number=number, corners=corners, off_plane=off > _ON_PLANE))
    return placed, slanted_area


def _slice_of(
    height_mm: float, distances_mm: NDArray[np.float64], spacing_mm: float
) -> tuple[int, float]:
    """Return the nearest slice, outside ones counted on, and how far off it is, in slices."""
    nearest = int(np.abs(distances_mm - height_mm).argmin())
    off = (height_mm - float(distances_mm[nearest])) / spacing_mm
    at_end = (nearest == 0 and off < 0) or (nearest == len(distances_mm) - 1 and off > 0)
    if abs(off) > _HALF_SLICE and at_end:
        return nearest + round(off), abs(off - round(off))
    return nearest, abs(off)


def _require_near(corners: Points, geometry: Geometry) -> None:
    rows, columns = geometry.shape[1:]
    far = np.abs(corners).max(axis=0) if len(corners) else np.zeros(2)
    if far[0] > _FAR * max(rows, 64) or far[1] > _FAR * max(columns, 64):
        raise CaseError(
            Code.STRUCTURE_OUTSIDE,
            f"a contour lies {float(far.max()):.0f} pixels from the first of the image",
        )


def _area(points: Points) -> float:
    """Return the area of a polygon in space, mm²."""
    edges = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
    return float(np.linalg.norm(edges)) / 2


def _filled(polygons: Sequence[Points]) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """Return the even-odd inside of polygons in a box of their own, and the box's first pixel.

    Every edge flips all pixels to the right of where it crosses their row.
    """
    begin = np.concatenate(polygons)
    end = np.concatenate([np.roll(points, -1, axis=0) for points in polygons])
    top, left = np.floor(begin.min(axis=0)).astype(np.int64)
    bottom, right = np.ceil(begin.max(axis=0)).astype(np.int64)
    rows, columns = _crossings(begin, end)
    height, width = int(bottom - top + 1), int(right - left + 2)
    flips = np.bincount((rows - top) * width + (columns - left), minlength=height * width)
    inside = np.bitwise_and(np.cumsum(flips.reshape(height, width), axis=1), 1).astype(np.bool_)
    return inside, (int(top), int(left))


def _crossings(begin: Points, end: Points) -> tuple[Index, Index]:
    """Return the row of each crossing of an edge with a row of pixels, and the first pixel behind.

    An edge owns its lower end and not its upper one, so that no corner counts twice.
    """
    downward = begin[:, 0] < end[:, 0]
    upper = np.where(downward[:, np.newaxis], begin, end)
    lower = np.where(downward[:, np.newaxis], end, begin)
    first = np.ceil(upper[:, 0]).astype(np.int64)
    counts = np.ceil(lower[:, 0]).astype(np.int64) - first
    edges = np.repeat(np.arange(len(begin)), counts)
    steps = np.arange(len(edges)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = first[edges] + steps
    share = (rows - upper[edges, 0]) / (lower[edges, 0] - upper[edges, 0])
    columns = upper[edges, 1] + share * (lower[edges, 1] - upper[edges, 1])
    return rows, np.ceil(np.round(columns, _DECIMALS)).astype(np.int64)


def _paste(filled: NDArray[np.bool_], image: NDArray[np.bool_], *, top: int, left: int) -> int:
    """Copy the part of a box that lies in the image, and return how many pixels that were."""
    rows, columns = image.shape
    first = (max(0, -top), max(0, -left))
    last = (min(filled.shape[0], rows - top), min(filled.shape[1], columns - left))
    part = filled[first[0] : max(first[0], last[0]), first[1] : max(first[1], last[1])]
    target = image[
        top + first[0] : top + first[0] + part.shape[0],
        left + first[1] : left + first[1] + part.shape[1],
    ]
    target |= part
    return int(np.count_nonzero(part))
