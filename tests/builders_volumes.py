"""Phantoms and NIfTI files, sound ones and every kind of broken one."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hnmets.domain.geometry import Geometry, Volume

Header = Any  # nibabel is untyped
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def affine_ras(geometry: Geometry) -> NDArray[np.float64]:
    """The voxel-to-RAS matrix that NIfTI stores for a grid in LPS."""
    lps = np.eye(4)
    lps[:3, :3] = np.reshape(geometry.direction, (3, 3)) * geometry.spacing_mm[::-1]
    lps[:3, 3] = geometry.origin_mm
    return LPS_TO_RAS @ lps


def write_nifti(
    path: Path,
    voxels: NDArray[Any],
    *,
    spacing_mm: tuple[float, float, float] = (3.0, 1.0, 1.0),
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    affine: NDArray[np.float64] | None = None,
    sform_code: int = 1,
    qform_code: int = 1,
    kind: type[Any] = nib.Nifti1Image,
    edit: Callable[[Header], None] | None = None,
) -> Path:
    """Write an array (D, H, W) in its own type; `edit` may spoil the header before."""
    geometry = Geometry(shape=(1, 1, 1), spacing_mm=spacing_mm, origin_mm=origin_mm)
    ras = affine_ras(geometry) if affine is None else affine
    image = kind(np.asfortranarray(voxels.transpose(range(voxels.ndim)[::-1])), ras)
    image.set_sform(ras, code=sform_code)
    image.set_qform(ras, code=qform_code)
    nib.save(image, path)
    if edit is not None:
        rewrite_header(path, edit)
    return path


def rewrite_header(path: Path, edit: Callable[[Header], None]) -> None:
    """Change fields of a written file's header; nobody checks them on the way."""
    content = bytearray(content_of(path))
    kind = nib.Nifti1Header if content[0] == 348 % 256 else nib.Nifti2Header
    header = kind(bytes(content[: 348 if kind is nib.Nifti1Header else 540]), check=False)
    edit(header)
    raw = header.structarr.tobytes()
    content[: len(raw)] = raw
    replace_content(path, bytes(content))


def set_field(
    name: str, value: object, *, at: int | slice | None = None
) -> Callable[[Header], None]:
    """An edit for `write_nifti`: one field, or one place of it."""

    def edit(header: Header) -> None:
        if at is None:
            header.structarr[name] = value
        else:
            header.structarr[name][at] = value

    return edit


def content_of(path: Path) -> bytes:
    """The bytes of a NIfTI file, inflated."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def replace_content(path: Path, content: bytes) -> None:
    """Store other bytes under the same name, compressed where the name says so."""
    packed = gzip.compress(content, 1, mtime=0) if path.suffix == ".gz" else content
    path.write_bytes(packed)


def cut(path: Path, *, keep: float) -> Path:
    """Keep the first part of a file."""
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    return path


def flip_byte(path: Path, *, at: float) -> Path:
    """Invert one byte, at a share of the file's length."""
    raw = bytearray(path.read_bytes())
    raw[int(at * (len(raw) - 1))] ^= 0xFF
    path.write_bytes(bytes(raw))
    return path


def ball(
    shape: tuple[int, int, int],
    *,
    centre: tuple[float, float, float],
    radius_mm: float,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> NDArray[np.bool_]:
    """Voxels whose centre lies within a radius, bool (D, H, W); the centre is an index."""
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    squares = [
        ((axis - middle) * spacing) ** 2
        for axis, middle, spacing in zip(axes, centre, spacing_mm, strict=True)
    ]
    inside: NDArray[np.bool_] = sum(squares[1:], squares[0]) <= radius_mm**2
    return inside


def neck(
    shape: tuple[int, int, int] = (24, 96, 96),
    *,
    spacing_mm: tuple[float, float, float] = (3.0, 2.0, 2.0),
    seed: int = 0,
) -> Volume:
    """A CT of a neck in room air: round body, airway, vertebra, noise of 10 HU, int16."""
    rng = np.random.default_rng(seed)
    _, height, width = shape
    y, x = np.ogrid[0:height, 0:width]
    y_mm, x_mm = (y - height / 2) * spacing_mm[1], (x - width / 2) * spacing_mm[2]
    plane = np.full((height, width), -1000.0)
    plane[y_mm**2 + x_mm**2 <= 70**2] = -100  # fat under the skin
    plane[y_mm**2 + x_mm**2 <= 62**2] = 50
    plane[(y_mm - 30) ** 2 + x_mm**2 <= 14**2] = 600
    plane[(y_mm + 30) ** 2 + x_mm**2 <= 9**2] = -1000
    hu = plane[np.newaxis] + rng.normal(0, 10, shape)
    return Volume(
        voxels=np.rint(hu).astype(np.int16),
        geometry=Geometry(shape=shape, spacing_mm=spacing_mm),
    )
