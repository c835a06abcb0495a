"""The body in a CT: what is neither room air nor couch nor mask."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hnmets.domain.geometry import Volume
from hnmets.imaging.box import Box

_SKIN_HU = -300
# Couch shells and thermoplastic masks are thinner than this; they touch the skin in places.
_PLATE_MM = 4.0
_WHOLE = slice(None)


def body_mask(
    ct: Volume, *, seed: NDArray[np.bool_], box: Box = (_WHOLE,) * 3
) -> NDArray[np.bool_]:
    """Mark the body part that holds the tumour, its airways and other cavities included.

    Soft tissue is opened in the axial plane, so that couch and immobilisation mask fall off;
    the connected part with most of the tumour is kept; then holes are closed slice by slice.
    Where the tumour lies in none (a tumour of air, an ear), the largest part is kept.
    The volume may be cropped: tissue that reaches the border goes on behind it.

    Parameters
    ----------
    ct
        HU, LPS orientation.
    seed
        Tumour, bool (D, H, W).
    box
        Where the answer is wanted. The slices of the box are looked at first, and the whole
        volume only where the box holds tissue that is not connected within them.

    Returns
    -------
    NDArray
        bool, the shape of the box.
    """
    slab, h, w = box
    parts = _parts(ct, slab)
    chosen = _part_with_most(parts[seed[slab]])
    if not chosen or np.setdiff1d(parts[:, h, w], (0, chosen)).size:
        parts = _parts(ct, _WHOLE)
        chosen = _part_with_most(parts[seed]) or _part_with_most(parts)
        parts = parts[slab]
    body = (parts == chosen) & (chosen > 0)
    return np.stack([(axial | _holes(axial))[h, w] for axial in body])


def _parts(ct: Volume, slab: slice) -> NDArray[np.int32]:
    """Label the connected parts of soft tissue and bone, 0 elsewhere."""
    _, pixel_h_mm, pixel_w_mm = ct.geometry.spacing_mm
    hu: NDArray[Any] = ct.voxels[slab]
    tissue = hu > _SKIN_HU
    tissue = _opened(tissue, axis=2, reach=int(_PLATE_MM / 2 / pixel_w_mm))
    tissue = _opened(tissue, axis=1, reach=int(_PLATE_MM / 2 / pixel_h_mm))
    parts: NDArray[np.int32] = ndimage.label(tissue)[0]
    return parts


def _part_with_most(labels: NDArray[np.int32]) -> int:
    """Return the commonest label, 0 where there is none."""
    sizes = np.bincount(labels.ravel(), minlength=1)
    sizes[0] = 0
    return int(sizes.argmax())


def _opened(mask: NDArray[np.bool_], *, axis: int, reach: int) -> NDArray[np.bool_]:
    """Remove what is thinner than 2 × reach + 1 pixels along one axis."""
    if not reach:
        return mask
    # What reaches the border of a crop goes on behind it, and is not thin.
    margin = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
    padded = np.pad(mask, margin, mode="edge")
    eroded = padded.copy()
    for step in range(1, reach + 1):
        _combine(eroded, padded, axis=axis, step=step, combine=np.logical_and)
    opened = eroded.copy()
    for step in range(1, reach + 1):
        _combine(opened, eroded, axis=axis, step=step, combine=np.logical_or)
    inside = slice(reach, -reach)
    return opened[tuple(inside if a == axis else slice(None) for a in range(3))]


def _combine(
    target: NDArray[np.bool_],
    source: NDArray[np.bool_],
    *,
    axis: int,
    step: int,
    combine: np.ufunc,
) -> None:
    """Combine each pixel with its neighbours `step` away; those behind the border do not count."""
    before = tuple(slice(None, -step) if a == axis else slice(None) for a in range(3))
    behind = tuple(slice(step, None) if a == axis else slice(None) for a in range(3))
    combine(target[before], source[behind], out=target[before])
    combine(target[behind], source[before], out=target[behind])


def _holes(axial: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark what the body encloses in one axial slice."""
    outside, count = ndimage.label(~axial)
    at_border = np.concatenate([outside[[0, -1]].ravel(), outside[:, [0, -1]].ravel()])
    is_hole = np.ones(count + 1, bool)
    is_hole[0] = False
    is_hole[at_border] = False
    holes: NDArray[np.bool_] = is_hole[outside]
    return holes
