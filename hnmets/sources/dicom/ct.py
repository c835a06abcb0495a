"""A CT series to HU: slice by slice, each by its own slope and intercept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.domain.geometry import Volume
from hnmets.domain.region import Scalar
from hnmets.sources.dicom.instance import Instance
from hnmets.sources.dicom.pixels import Frames, Numbers, read_frames
from hnmets.sources.dicom.plane import Plane
from hnmets.sources.dicom.stack import Stack, stack
from hnmets.sources.hounsfield import LOWEST_HU, suspicions
from hnmets.sources.scaling import require_finite, scaled

_SAMPLES_PER_AXIS = 64
_BYTES_PER_VOXEL = 8
_SAME_PLACE_MM = 1e-3
_INT16 = (-32768, 32767)


@dataclass(frozen=True, kw_only=True)
class Slices:
    """The images of a series, in order, not yet read.

    Parameters
    ----------
    files
        Of the slices, in the order of the stack.
    planes
        The same, where they lie.
    """

    stack: Stack
    files: tuple[Path, ...]
    planes: tuple[Plane, ...]
    twins: tuple[tuple[tuple[Path, Plane], tuple[Path, Plane]], ...]


@dataclass(frozen=True, kw_only=True)
class ReadCt:
    """A CT in HU on the grid of its slices, which may be uneven.

    Parameters
    ----------
    volume
        int16 where every voxel is a whole number, else float64; not clipped.
    distances_mm
        Of the slices along the normal.
    uneven
        Why the grid is no grid; None where it is one.
    flags
        What was let pass.
    """

    volume: Volume
    distances_mm: NDArray[np.float64]
    uneven: CaseError | None
    flags: dict[str, Scalar]


def slices_of(instances: Sequence[Instance]) -> Slices:
    """Put the images of one series in order.

    Raises
    ------
    CaseError
        If an image cannot be placed, or they are no stack; see `stack`.
    """
    for instance in instances:
        if instance.trouble is not None:
            raise CaseError(*instance.trouble)
    images = [(instance.path, plane) for instance in instances for plane in instance.planes]
    thickness = instances[0].acquisition.slice_thickness_mm
    found = stack([plane for _, plane in images], thickness_mm=thickness)
    return Slices(
        stack=found,
        files=tuple(images[place][0] for place in found.order),
        planes=tuple(images[place][1] for place in found.order),
        twins=tuple((images[kept], images[other]) for kept, other in found.twins),
    )


def read_slices(slices: Slices, *, memory_gib: float) -> ReadCt:
    """Read the pixels of a series in HU.

    Raises
    ------
    CaseError
        E_GEOM_DUP for two different images on one position; E_HU_RANGE where the header does not
        say what the numbers mean; E_IMG_TOO_LARGE; see `read_frames`.
    """
    geometry = slices.stack.geometry
    needed_gib = np.prod(geometry.shape, dtype=np.float64) * _BYTES_PER_VOXEL / 2**30
    if needed_gib > memory_gib:
        size = " × ".join(map(str, geometry.shape))
        raise CaseError(
            Code.IMAGE_TOO_LARGE,
            f"{size} voxels need {needed_gib:.1f} GiB, {memory_gib:g} are allowed",
        )
    reader = _Reader()
    flags = dict(slices.stack.flags)
    if slices.twins:
        flags["identical_slices_dropped"] = _require_same(slices, reader)
    reader.padded = 0
    hu = _filled(slices, reader)
    if reader.padded:
        flags["share_not_measured"] = reader.padded / hu.size
    return ReadCt(
        volume=Volume(voxels=hu, geometry=geometry),
        distances_mm=slices.stack.distances_mm,
        uneven=slices.stack.uneven,
        flags=flags,
    )


def hu_doubts(hu: Numbers) -> list[str]:
    """Say why the numbers may be no HU; a sample of the volume is looked at."""
    steps = tuple(slice(None, None, max(1, n // _SAMPLES_PER_AXIS)) for n in hu.shape)
    return suspicions(hu[steps])


class _Reader:
    """Reads files once where neighbouring slices share one."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._frames = Frames(numbers=np.empty((0, 0, 0)))
        self.padded = 0

    def hu(self, path: Path, plane: Plane) -> Numbers:
        """Return one image in HU, (rows, columns); where nothing was measured is air."""
        if path != self._path:
            self._frames, self._path = read_frames(path), path
        frames = self._frames.numbers
        if plane.number >= len(frames) or frames.shape[1:] != plane.shape:
            raise CaseError(Code.IMAGE_CORRUPT, "an image has another size than its header says")
        if plane.slope is None or plane.intercept is None or plane.slope == 0:
            raise CaseError(
                Code.HU_RANGE, "the header has no rescale slope or intercept: numbers are not HU"
            )
        slope, intercept = plane.slope, plane.intercept
        image: Numbers = frames[plane.number]
        hu = image if self._frames.are_hu else scaled(image, slope=slope, intercept=intercept)
        return self._without_padding(hu, slope=slope, intercept=intercept)

    def _without_padding(self, hu: Numbers, *, slope: float, intercept: float) -> Numbers:
        padding = self._frames.padding
        # A number that could be tissue is no padding, whatever the header says.
        if padding is None or padding * slope + intercept >= LOWEST_HU:
            return hu
        outside = hu == padding * slope + intercept
        self.padded += int(np.count_nonzero(outside))
        filled: Numbers = np.where(outside, hu.dtype.type(LOWEST_HU), hu)
        return filled


def _require_same(slices: Slices, reader: _Reader) -> int:
    """Return how many images are copies of the one on their position."""
    for kept, other in slices.twins:
        shift_mm = np.subtract(kept[1].position_mm, other[1].position_mm)
        same = np.abs(shift_mm).max() < _SAME_PLACE_MM
        if not same or not np.array_equal(reader.hu(*kept), reader.hu(*other)):
            raise CaseError(
                Code.GEOMETRY_DUPLICATE,
                f"{len(slices.twins)} positions have two images, and they differ",
            )
    return len(slices.twins)


def _filled(slices: Slices, reader: _Reader) -> Numbers:
    """Return the volume in the narrowest type that keeps every value."""
    shape = slices.stack.geometry.shape
    hu: Numbers = np.empty(shape, np.int16)
    for place, (path, plane) in enumerate(zip(slices.files, slices.planes, strict=True)):
        image = reader.hu(path, plane)
        if hu.dtype == np.int16 and not _fits(image):
            hu = hu.astype(np.float64)
        hu[place] = image
    require_finite(hu)
    return hu


def _fits(image: Numbers) -> bool:
    low, high = _INT16
    if image.dtype == np.int16:
        return True
    if image.dtype.kind == "f" and not np.array_equal(np.rint(image), image):
        return False
    return bool(image.min() >= low and image.max() <= high)
