"""Where one image lies, and how its numbers become HU."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from hnmets.domain.errors import CaseError, Code

Dataset = Any  # pydicom's datasets answer with whatever the file holds
Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """One image of a series.

    Parameters
    ----------
    position_mm
        Centre of the first pixel (x, y, z), LPS, mm.
    along_row, along_column
        Unit vectors of growing column and growing row index.
    spacing_mm
        Distance of neighbouring rows, and of neighbouring columns, mm: DICOM's order.
    shape
        Rows, columns.
    slope, intercept
        Stored number to HU; None where the header has none.
    number
        Frame within its file, from 0.
    acquisition
        Number of the acquisition it was taken in; None where the header has none.
    derived
        Whether the image was computed from others: reformatted, resampled.
    """

    position_mm: Vector
    along_row: Vector
    along_column: Vector
    spacing_mm: tuple[float, float]
    shape: tuple[int, int]
    slope: float | None = None
    intercept: float | None = None
    number: int = 0
    acquisition: int | None = None
    derived: bool = False


def classic_plane(header: Dataset, *, derived: bool) -> Plane:
    """Return the plane of a single-frame image.

    Raises
    ------
    CaseError
        If the header does not say where the image lies.
    """
    return _plane(
        position=header.get("ImagePositionPatient"),
        orientation=header.get("ImageOrientationPatient"),
        spacing=header.get("PixelSpacing"),
        shape=(header.get("Rows"), header.get("Columns")),
        rescale=(header.get("RescaleSlope"), header.get("RescaleIntercept")),
        acquisition=header.get("AcquisitionNumber"),
        derived=derived,
    )


def enhanced_planes(header: Dataset, *, derived: bool) -> tuple[Plane, ...]:
    """Return the planes of a multi-frame image, from its functional groups.

    Raises
    ------
    CaseError
        If a frame does not say where it lies.
    """
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    frames = header.get("PerFrameFunctionalGroupsSequence") or []
    if not len(frames):
        raise CaseError(Code.IMAGE_CORRUPT, "a multi-frame image describes no frame")
    return tuple(
        _plane(
            position=_item(frame, shared, "PlanePositionSequence").get("ImagePositionPatient"),
            orientation=_item(frame, shared, "PlaneOrientationSequence").get(
                "ImageOrientationPatient"
            ),
            spacing=_item(frame, shared, "PixelMeasuresSequence").get("PixelSpacing"),
            shape=(header.get("Rows"), header.get("Columns")),
            rescale=_rescale(_item(frame, shared, "PixelValueTransformationSequence")),
            derived=derived,
            number=number,
        )
        for number, frame in enumerate(frames)
    )


def _item(frame: Dataset, shared: Dataset, keyword: str) -> Dataset:
    for group in (frame, shared):
        if sequence := group.get(keyword):
            return sequence[0]
    return {}


def _rescale(group: Dataset) -> tuple[object, object]:
    return group.get("RescaleSlope"), group.get("RescaleIntercept")


def _plane(  # noqa: PLR0913  # one argument per thing that a header says
    *,
    position: object,
    orientation: object,
    spacing: object,
    shape: tuple[object, object],
    rescale: tuple[object, object],
    derived: bool,
    number: int = 0,
    acquisition: object = None,
) -> Plane:
    x, y, z = _numbers(position, 3, "its position")
    rows, columns = _numbers(shape, 2, "its size")
    between_rows, between_columns = _numbers(spacing, 2, "its pixel spacing")
    cosines = _numbers(orientation, 6, "its orientation")
    slope, intercept = (None if value in {None, ""} else float(str(value)) for value in rescale)
    return Plane(
        position_mm=(x, y, z),
        along_row=(cosines[0], cosines[1], cosines[2]),
        along_column=(cosines[3], cosines[4], cosines[5]),
        spacing_mm=(between_rows, between_columns),
        shape=(int(rows), int(columns)),
        slope=slope,
        intercept=intercept,
        number=number,
        acquisition=None if acquisition in {None, ""} else int(str(acquisition)),
        derived=derived,
    )


def _numbers(value: Any, count: int, what: str) -> list[float]:  # noqa: ANN401  # any header value
    numbers = [] if value is None or isinstance(value, str) else [float(part) for part in value]
    if len(numbers) != count or not all(map(isfinite, numbers)):
        raise CaseError(Code.IMAGE_CORRUPT, f"an image does not say {what}")
    return numbers
