"""How much memory a region will take, known before the work begins."""

from math import prod

from hnmets.domain.errors import CaseError, Code
from hnmets.extractors.fast_radiomics.lattice import Lattice
from hnmets.extractors.fast_radiomics.neighbourhood import DIRECTIONS

# Python, its libraries and the compiled loops of a worker, measured.
_IDLE_GIB = 0.35
_DOUBLE = 8


def require_room(lattice: Lattice, n_voxels: int, *, ct_bytes: int, limit_gib: float) -> None:
    """Refuse a region that will not fit into a worker.

    Parameters
    ----------
    n_voxels
        Voxels of the region on the CT's grid.
    ct_bytes
        Size of the CT and its masks in memory.

    Raises
    ------
    CaseError
        With the size of the region and what it would need.
    """
    needed = _IDLE_GIB + (ct_bytes + region_bytes(lattice)) / 2**30
    if needed > limit_gib:
        volume_cc = n_voxels * prod(lattice.image.spacing_mm) / 1000
        size = " × ".join(map(str, lattice.shape))
        raise CaseError(
            Code.MEMORY,
            f"a region of {volume_cc:.0f} cc in a box of {size} voxels needs about "
            f"{needed:.1f} GiB, the limit is {limit_gib:g} GiB",
        )


def region_bytes(lattice: Lattice) -> int:
    """Return the most that the stages of one region hold at a time, bytes.

    Interpolation keeps the coefficients, and each of them once per tap of the last axis; the
    wavelet keeps eight bands; run lengths keep a place in 13 directions.
    """
    box = prod(lattice.shape)
    interpolation = box * _DOUBLE * 7
    wavelet = box * _DOUBLE * 14
    texture = box * (2 * len(DIRECTIONS) + 2 + 8 + 4 * _DOUBLE)
    return box * _DOUBLE + max(interpolation, wavelet, texture)


def require_levels(n_levels: int, *, limit_gib: float) -> None:
    """Refuse matrices of more grey levels than memory holds.

    Raises
    ------
    CaseError
        With the number of grey levels.
    """
    needed = _IDLE_GIB + len(DIRECTIONS) * n_levels**2 * 2 * _DOUBLE / 2**30
    if needed > limit_gib:
        raise CaseError(
            Code.MEMORY,
            f"{n_levels} grey levels need matrices of about {needed:.1f} GiB, the limit is "
            f"{limit_gib:g} GiB; is there metal in the region, or is the bin width too small?",
        )
