"""Small regions of every awkward kind, drawn by hypothesis or made by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry, Volume

Mask = NDArray[np.bool_]
Shape = tuple[int, int, int]
Triple = tuple[float, float, float]

# Columns are the axes of W, H and D: turned about two axes, so that no entry is 0.
TILTED = (0.36, -0.8, 0.48, 0.48, 0.6, 0.64, -0.8, 0.0, 0.6)
FLIPPED = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
# W runs along z, H along x, D along y, as in a sagittal series.
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
DIRECTIONS = (STRAIGHT, FLIPPED, SAGITTAL, TILTED)
SPACINGS_MM: tuple[Triple, ...] = (
    (1.0, 1.0, 1.0),
    (3.0, 1.0, 1.0),
    (2.5, 0.9765625, 0.9765625),
    (0.7, 1.3, 2.1),
)
ORIGIN_MM = (-123.4, 51.7, 3.3)


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """A CT and a region in it."""

    ct: Volume
    mask: Mask


def volume(
    voxels: NDArray[np.generic],
    spacing_mm: Triple = (1.0, 1.0, 1.0),
    *,
    direction: tuple[float, ...] = STRAIGHT,
    origin_mm: Triple = ORIGIN_MM,
) -> Volume:
    """Return voxels (D, H, W) with their place in the patient."""
    d, h, w = voxels.shape
    return Volume(
        voxels=voxels,
        geometry=Geometry(
            shape=(d, h, w), spacing_mm=spacing_mm, origin_mm=origin_mm, direction=direction
        ),
    )


def _scattered(shape: Shape, rng: np.random.Generator) -> Mask:
    return rng.random(shape) < rng.choice([0.2, 0.5, 0.9])


def _full(shape: Shape, rng: np.random.Generator) -> Mask:
    return np.ones(shape, np.bool_)


def _one_slice(shape: Shape, rng: np.random.Generator) -> Mask:
    axis = int(rng.integers(3))
    mask = np.zeros(shape, np.bool_)
    layer = np.moveaxis(mask, axis, 0)[shape[axis] // 2]
    layer[:] = rng.random(layer.shape) < 0.8
    return mask


def _diagonal(shape: Shape, rng: np.random.Generator) -> Mask:
    """Return a line of voxels that touch at their corners, in a plane or in space."""
    mask = np.zeros(shape, np.bool_)
    at = np.arange(min(shape))
    places = [at, at[::-1], at * int(rng.integers(2))]
    rng.shuffle(places)
    mask[places[0], places[1], places[2]] = True
    return mask


def _two_parts(shape: Shape, rng: np.random.Generator) -> Mask:
    mask = np.zeros(shape, np.bool_)
    mask[:2, :2, :2] = True
    mask[-1:, -2:, -2:] = True
    return mask


def _apart(shape: Shape, rng: np.random.Generator) -> Mask:
    """Return voxels of which no two are neighbours."""
    mask = np.zeros(shape, np.bool_)
    mask[::2, ::2, ::2] = True
    return mask


def _shell(shape: Shape, rng: np.random.Generator) -> Mask:
    """Return a box with a hole: a surface outside and one inside."""
    mask = np.ones(shape, np.bool_)
    mask[1:-1, 1:-1, 1:-1] = False
    return mask


MASKS: Mapping[str, Callable[[Shape, np.random.Generator], Mask]] = {
    "scattered": _scattered,
    "full": _full,
    "one slice": _one_slice,
    "diagonal": _diagonal,
    "two parts": _two_parts,
    "apart": _apart,
    "shell": _shell,
}


def _noise(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    return rng.integers(-1000, 1500, shape).astype(np.int16)


def _soft_tissue(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    d, h, w = np.indices(shape)
    waves = 40 * np.sin(d / 2) + 30 * np.cos(h / 3) + 20 * np.sin((d + w) / 2)
    return (waves + rng.normal(0, 12, shape) + 40).astype(np.int16)


def _two_levels(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    return np.where(rng.random(shape) < 0.5, -25, 50).astype(np.int16)


def _constant(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    return np.full(shape, rng.choice([-1000, 37, 50]), np.int16)


def _many_levels(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    """Return voxels in bins of their own, as far as 200 bins of 25 HU go."""
    order = rng.permutation(int(np.prod(shape))) % 200
    return (order.reshape(shape) * 25 - 3_000).astype(np.int16)


def _fractions(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    return rng.normal(-50, 90, shape)


def _unsigned(shape: Shape, rng: np.random.Generator) -> NDArray[np.generic]:
    return rng.integers(0, 4_000, shape).astype(np.uint16)


HU: Mapping[str, Callable[[Shape, np.random.Generator], NDArray[np.generic]]] = {
    "soft tissue": _soft_tissue,
    "noise": _noise,
    "two levels": _two_levels,
    "constant": _constant,
    "200 levels": _many_levels,
    "fractions": _fractions,
    "uint16": _unsigned,
}


@st.composite
def masks(draw: st.DrawFn, *, longest: int = 9) -> Mask:
    """Masks cropped to their region, at least two voxels long along two axes."""
    side = st.integers(2, longest)
    shape = draw(st.tuples(side, side, side))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    mask = MASKS[draw(st.sampled_from(list(MASKS)))](shape, rng)
    return cropped(with_two_dimensions(mask))


def with_two_dimensions(mask: Mask) -> Mask:
    """Add two voxels where there are none, or where they stand in a line."""
    if sum(np.ptp(axis) > 0 if axis.size else False for axis in np.nonzero(mask)) < 2:
        mask = mask.copy()
        mask[0, 0, 0] = mask[-1, -1, -1] = True
    return mask


def cropped(mask: Mask) -> Mask:
    """Return the smallest box that holds a mask."""
    places = np.nonzero(mask)
    return mask[tuple(slice(int(p.min()), int(p.max()) + 1) for p in places)]


@st.composite
def phantoms(draw: st.DrawFn, *, longest: int = 7, margin: int = 6) -> Phantom:
    """A region anywhere in a CT, also at its border."""
    mask = draw(masks(longest=longest))
    beside = st.integers(0, margin)
    frame = draw(st.tuples(*[st.tuples(beside, beside)] * 3))
    mask = np.pad(mask, frame)
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    hu = HU[draw(st.sampled_from(list(HU)))](mask.shape, rng)
    spacing_mm = draw(st.sampled_from(SPACINGS_MM))
    direction = draw(st.sampled_from(DIRECTIONS))
    return Phantom(ct=volume(hu, spacing_mm, direction=direction), mask=mask)
