"""Perturbed contours and images: what another hand would draw and another scan would show.

References
----------
Zwanenburg et al. 2019, doi:10.1038/s41598-018-36938-4: growth and shrinkage, translation,
contour randomisation, noise. Its randomised contour follows supervoxels; here the contour is
moved by a smooth random field, which needs no segmentation of the image.
"""

import re
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from feature_store.recipe import Json
from hnmets.domain.errors import UsageError
from hnmets.domain.geometry import Volume
from hnmets.imaging.box import Box, bounding_box, clipped
from hnmets.imaging.distance import ROUNDING, distances
from hnmets.imaging.draws import stream

# Raised when a perturbed mask or image changes for the same case and seed.
VERSION = 1
# Over which neighbouring points of a contour move together; our choice, not a measured value.
CORRELATION_MM = 5.0
_MOST = {"mm": 20.0, "hu": 500.0}

Kind = Literal["grow", "shrink", "shift", "contour", "noise"]
PATTERNS = ("grow-1mm", "shrink-1mm", "shift-1mm", "contour-1mm", "noise-10hu")
Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """One perturbation; an amplitude of 0 changes nothing.

    Parameters
    ----------
    kind
        `grow`, `shrink`: every voxel within the amplitude of the contour changes sides.
        `shift`: the region is moved by the amplitude in a random direction.
        `contour`: each point of the contour is moved at random, its neighbours with it; the
        amplitude is the standard deviation along each axis.
        `noise`: white noise is added to the CT; the amplitude is its standard deviation.
    amplitude
        mm, of noise HU. Contours move by whole voxels: less than half of one may do nothing.
    seed
        Of the random numbers; each case and region has its own.
    """

    kind: Kind
    amplitude: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.amplitude <= _MOST[self._unit]:
            most = f"{_MOST[self._unit]:g} {self._unit}"
            raise UsageError(f"perturbation '{self.name}' is not between 0 and {most}")

    @classmethod
    def of(cls, name: str, *, seed: int) -> "Perturbation":
        """Return the perturbation of a name such as `grow-1.5mm`.

        Raises
        ------
        UsageError
            If there is none of this name.
        """
        for kind in get_args(Kind):
            if found := re.fullmatch(rf"{kind}-(\d+(?:\.\d+)?){_unit_of(kind)}", name):
                return cls(kind=kind, amplitude=float(found.group(1)), seed=seed)
        raise UsageError(f"no perturbation '{name}'").with_note(
            f"Choose of {', '.join(PATTERNS)}, with any amplitude."
        )

    @property
    def name(self) -> str:
        """What people call it: `grow-1mm`."""
        return f"{self.kind}-{self.amplitude:g}{self._unit}"

    @property
    def identity(self) -> dict[str, Json]:
        """What masks and image depend on, as JSON."""
        identity: dict[str, Json] = {
            "perturbation": self.kind,
            f"amplitude_{self._unit}": float(self.amplitude),
            "version": VERSION,
        }
        if self.kind == "contour":
            identity["correlation_mm"] = CORRELATION_MM
        return identity if self.kind in ("grow", "shrink") else identity | {"seed": self.seed}

    def rescanned(self, ct: Volume, *, case_id: str) -> Volume:
        """Return the CT with its noise, in the type of the given one; the same CT without."""
        if self.kind != "noise":
            return ct
        rng = stream(self.seed, case_id, self.kind)
        voxels = np.empty_like(ct.voxels)
        # Slice by slice: a whole CT of float64 noise would need gigabytes.
        for before, after in zip(ct.voxels, voxels, strict=True):
            after[...] = _noisy(before, self.amplitude, rng)
        return replace(ct, voxels=voxels)

    def redrawn(self, region: str, mask: Mask, *, spacing_mm: Spacing, case_id: str) -> Mask:
        """Return the mask of a region with its contour moved; the same mask for noise.

        Parameters
        ----------
        mask
            bool (D, H, W); where it reaches the border of the volume, it goes on behind it.
        """
        tight = bounding_box(mask)
        # Without a surface there is nothing to move.
        if self.kind == "noise" or tight is None or mask.all():
            return mask
        box = _around(tight, self._reach_mm, spacing_mm)
        at = [
            np.clip(np.arange(b.start, b.stop), 0, n - 1)
            for b, n in zip(box, mask.shape, strict=True)
        ]
        nearby = mask[np.ix_(*at)]
        depth_mm = distances(~nearby, spacing_mm) - distances(nearby, spacing_mm)
        rng = stream(self.seed, case_id, region, self.kind)
        d, h, w = mask.shape
        inside, own = clipped(box, (d, h, w))
        redrawn = np.zeros_like(mask)
        redrawn[inside] = self._moved(depth_mm, spacing_mm, rng)[own]
        return redrawn

    @property
    def _unit(self) -> str:
        return _unit_of(self.kind)

    @property
    def _reach_mm(self) -> float:
        """How far a contour can move; beyond 4 standard deviations is nobody's contour."""
        return self.amplitude * (4 if self.kind == "contour" else 1)

    def _moved(
        self, depth_mm: NDArray[np.float64], spacing_mm: Spacing, rng: np.random.RandomState
    ) -> Mask:
        """Return where the moved contour is, from the depth below the present one."""
        if self.kind == "grow":
            return depth_mm >= -self.amplitude * ROUNDING
        if self.kind == "shrink":
            return depth_mm > self.amplitude * ROUNDING
        if self.kind == "shift":
            direction = rng.standard_normal(3)
            fields = list(direction / np.linalg.norm(direction))
        else:
            fields = [_field(rng, depth_mm.shape, spacing_mm) for _ in range(3)]
        steps = [self.amplitude * f / mm for f, mm in zip(fields, spacing_mm, strict=True)]
        # Between voxels the depth is interpolated: the contour lies where it is 0.
        places = [
            index + step for index, step in zip(np.indices(depth_mm.shape), steps, strict=True)
        ]
        moved: Mask = ndimage.map_coordinates(depth_mm, places, order=1, mode="nearest") > 0
        return moved


def _unit_of(kind: Kind) -> str:
    return "hu" if kind == "noise" else "mm"


def _around(tight: Box, reach_mm: float, spacing_mm: Spacing) -> Box:
    """Enlarge a box by what lies within reach; it may leave the volume."""
    margins = [ceil(reach_mm / mm) + 2 for mm in spacing_mm]
    d, h, w = (
        slice(side.start - margin, side.stop + margin)
        for side, margin in zip(tight, margins, strict=True)
    )
    return d, h, w


def _field(
    rng: np.random.RandomState, shape: tuple[int, ...], spacing_mm: Spacing
) -> NDArray[np.float64]:
    """Draw a smooth random field: mean 0, deviation 1, correlation exp(−r² / 2 length²)."""
    sigmas = [CORRELATION_MM / sqrt(2) / mm for mm in spacing_mm]
    margins = [ceil(4 * sigma) for sigma in sigmas]
    field = rng.standard_normal([n + 2 * m for n, m in zip(shape, margins, strict=True)])
    for axis, (sigma, margin) in enumerate(zip(sigmas, margins, strict=True)):
        impulse = np.zeros(2 * margin + 1)
        impulse[margin] = 1
        weights = ndimage.gaussian_filter1d(impulse, sigma, mode="constant")
        weights /= np.linalg.norm(weights)
        field = ndimage.correlate1d(field, weights, axis=axis, mode="constant")
    within = tuple(slice(m, m + n) for n, m in zip(shape, margins, strict=True))
    drawn: NDArray[np.float64] = field[within]
    return drawn


def _noisy(
    hu: NDArray[Any], amplitude_hu: float, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Add white noise; whole HU stay whole and within their type."""
    noisy: NDArray[np.float64] = hu + amplitude_hu * rng.standard_normal(hu.shape)
    if hu.dtype.kind != "i":
        return noisy
    limits = np.iinfo(hu.dtype)
    return np.clip(np.rint(noisy), limits.min, limits.max)
