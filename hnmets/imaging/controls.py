"""Negative controls: images without what a model may have learnt, on the same regions.

A feature, an embedding or a model that predicts as well from such an image never looked at the
tumour's inside: what it knows, it knows from size and shape.

References
----------
Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_store.recipe import Json
from hnmets.domain.errors import CaseError, Code, UsageError
from hnmets.domain.geometry import Volume
from hnmets.domain.region import DrawnRegion
from hnmets.imaging.crop import AIR_HU
from hnmets.imaging.draws import stream

# Raised when the voxels of a control change for the same case and seed.
VERSION = 1
_SOFT_TISSUE_HU = 40.0

Voxels = NDArray[Any]  # HU, int16 or float64


@dataclass(frozen=True, kw_only=True)
class Control:
    """One negative control.

    The regions stay those of the real image: only what lies in them is replaced. Where an
    extractor resamples, it interpolates between replaced voxels: what a control keeps exactly,
    it keeps on the grid of the CT.

    Parameters
    ----------
    name
        `shuffled-`, `randomised-` or `sampled-`: the voxels are permuted; drawn evenly between
        the lowest and the highest of them; drawn from them with replacement. Each `-full`,
        `-roi` or `-outside`: everywhere, in the region alone, everywhere but in it.
        `blank`: the whole CT is soft tissue. `mask-only`: the whole CT is air, which a network
        sees as 0, so that the masks are all it is given.
    region, rule
        The region of `-roi` and `-outside`, and how it came about.
    seed
        Of the random numbers; each case has its own.
    """

    name: str
    region: str = "tumour"
    rule: DrawnRegion | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in CONTROLS:
            raise UsageError(f"no control '{self.name}'").with_note(
                f"Choose of {', '.join(CONTROLS)}."
            )
        if self.needs_region and self.rule is None:
            raise UsageError(
                f"control '{self.name}' needs a drawn region '{self.region}'"
            ).with_note("Name the tumour's region in [controls] region.")

    @property
    def is_constant(self) -> bool:
        """Whether nothing of the image is left: radiomics of it would be rounding errors."""
        return self.name in _CONSTANT_HU

    @property
    def needs_region(self) -> bool:
        """Whether the control tells inside from outside."""
        return self.name.endswith(("-roi", "-outside"))

    @property
    def identity(self) -> dict[str, Json]:
        """What the replaced voxels depend on, as JSON."""
        identity: dict[str, Json] = {"control": self.name, "version": VERSION}
        if not self.is_constant:
            identity["seed"] = self.seed
        if self.needs_region and self.rule is not None:
            identity["region"] = {"label": self.rule.label, "parts": self.rule.parts}
        return identity

    def replaced(self, ct: Volume, *, inside: NDArray[np.bool_], case_id: str) -> Volume:
        """Return the CT of the control, in the type of the given one.

        Parameters
        ----------
        ct
            HU.
        inside
            The region, bool (D, H, W); empty where the case has none.

        Raises
        ------
        CaseError
            If the control needs the region and the case has none.
        """
        if self.is_constant:
            return replace(ct, voxels=np.full_like(ct.voxels, _CONSTANT_HU[self.name]))
        if self.needs_region and not inside.any():
            detail = f"region '{self.region}' holds no voxel for control '{self.name}'"
            raise CaseError(Code.REGION_EMPTY, detail)
        manner, extent = self.name.split("-")
        where = {"full": np.ones_like(inside), "roi": inside, "outside": ~inside}[extent]
        voxels = ct.voxels.copy()
        voxels[where] = _MANNERS[manner](voxels[where], stream(self.seed, case_id, self.name))
        return replace(ct, voxels=voxels)


def _shuffled(hu: Voxels, rng: np.random.RandomState) -> Voxels:
    shuffled: Voxels = rng.permutation(hu)
    return shuffled


def _randomised(hu: Voxels, rng: np.random.RandomState) -> Voxels:
    lowest, highest = hu.min(), hu.max()
    if hu.dtype.kind == "i":
        return rng.randint(lowest, int(highest) + 1, hu.size, dtype=np.int64).astype(hu.dtype)
    drawn: Voxels = lowest + rng.random_sample(hu.size) * (highest - lowest)
    return drawn


def _sampled(hu: Voxels, rng: np.random.RandomState) -> Voxels:
    # 64 bits: the default integer is shorter on some machines, and its numbers are others.
    drawn: Voxels = hu[rng.randint(0, hu.size, hu.size, dtype=np.int64)]
    return drawn


_MANNERS: dict[str, Callable[[Voxels, np.random.RandomState], Voxels]] = {
    "shuffled": _shuffled,
    "randomised": _randomised,
    "sampled": _sampled,
}
_CONSTANT_HU = {"blank": _SOFT_TISSUE_HU, "mask-only": AIR_HU}
CONTROLS = (
    *(f"{manner}-{extent}" for manner in _MANNERS for extent in ("full", "roi", "outside")),
    *_CONSTANT_HU,
)
