"""Stored numbers of images, decoded; SimpleITK (GDCM) decodes what pydicom cannot."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hnmets.domain.errors import CaseError, Code
from hnmets.sources.dicom.careful import careful
from hnmets.sources.dicom.instance import require_readable_syntax

Dataset = Any  # pydicom's datasets answer with whatever the file holds
Numbers = NDArray[Any]  # integers of the file's own width, or floats where GDCM has scaled them

_LARGEST_FILE = 1 << 32


@dataclass(frozen=True, kw_only=True)
class Frames:
    """All images of a file.

    Parameters
    ----------
    numbers
        (frames, rows, columns).
    are_hu
        Whether they are HU already: GDCM applies slope and intercept while decoding.
    padding
        The stored number that stands for "nothing was measured here"; None where there is none.
    """

    numbers: Numbers
    are_hu: bool = False
    padding: int | None = None


def read_frames(path: Path) -> Frames:
    """Decode all images of a file.

    Raises
    ------
    CaseError
        E_IMG_CORRUPT where pixels are missing or cannot be decoded, E_DICOM_SYNTAX where they
        are no grey values.
    """
    import pydicom

    with careful():
        require_readable_syntax(path)
        if path.stat().st_size > _LARGEST_FILE:
            raise CaseError(Code.IMAGE_TOO_LARGE, f"a file of {path.stat().st_size} bytes")
        content = pydicom.dcmread(path, force=True)
        _require_grey(content)
        syntax = _syntax(content)
        if not syntax.is_compressed:
            numbers = _native(content, big_endian=not syntax.is_little_endian)
            return Frames(numbers=numbers, padding=_padding(content))
        padding = _padding(content)
    return replace(_decoded(content, path), padding=padding)


def _padding(content: Dataset) -> int | None:
    """Return the number of padding in the pixels' own type, whatever type its field has."""
    value = content.get("PixelPaddingValue")
    if value is None or isinstance(value, bytes):
        return None
    bits = int(content.BitsAllocated)
    number = int(value) % (1 << bits)
    signed = int(content.PixelRepresentation) == 1
    return number - (1 << bits) if signed and number >= 1 << (bits - 1) else number


def _require_grey(content: Dataset) -> None:
    kind = str(content.get("PhotometricInterpretation", ""))
    if kind != "MONOCHROME2" or int(content.get("SamplesPerPixel", 1)) != 1:
        raise CaseError(Code.DICOM_SYNTAX, f"pixels are {kind or 'of no kind'}, not grey values")


def _syntax(content: Dataset) -> Any:  # noqa: ANN401  # pydicom's UID
    from pydicom.uid import ImplicitVRLittleEndian

    syntax = content.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
    if not syntax.is_transfer_syntax or syntax.is_private:
        raise CaseError(Code.DICOM_SYNTAX, "the transfer syntax is not one of DICOM's own")
    return syntax


def _native(content: Dataset, *, big_endian: bool) -> Numbers:
    rows, columns = int(content.Rows), int(content.Columns)
    frames = int(content.get("NumberOfFrames") or 1)
    allocated, stored = int(content.BitsAllocated), int(content.BitsStored)
    signed = int(content.PixelRepresentation) == 1
    if allocated not in {8, 16, 32} or not 1 <= stored <= allocated:
        raise CaseError(Code.DICOM_SYNTAX, f"pixels of {stored} in {allocated} bits")
    order = ">" if big_endian else "<"
    dtype = np.dtype(f"{order}{'i' if signed else 'u'}{allocated // 8}")
    wanted = frames * rows * columns
    raw = content.get("PixelData") or b""
    if len(raw) < wanted * dtype.itemsize:
        raise CaseError(
            Code.IMAGE_CORRUPT,
            f"{len(raw)} bytes of pixels where {wanted * dtype.itemsize} are promised",
        )
    numbers = np.frombuffer(raw, dtype, wanted).reshape(frames, rows, columns)
    if stored == allocated:
        return numbers
    # What stands above the stored bits is no part of the value: old files keep overlays there.
    shift = allocated - stored
    return (numbers << shift) >> shift


def _decoded(content: Dataset, path: Path) -> Frames:
    from pydicom.pixels.decoders.base import get_decoder

    syntax = content.file_meta.TransferSyntaxUID
    with careful(what=f"pixels cannot be decoded ({syntax.name})"):
        if _known(syntax) and get_decoder(syntax).is_available:
            numbers = np.asarray(content.pixel_array)
            return Frames(numbers=numbers.reshape((-1, *numbers.shape[-2:])))
    return _by_gdcm(path, syntax.name)


def _known(syntax: Any) -> bool:  # noqa: ANN401  # pydicom's UID
    from pydicom.pixels.decoders.base import get_decoder

    try:
        get_decoder(syntax)
    except NotImplementedError:
        return False
    return True


def _by_gdcm(path: Path, syntax: str) -> Frames:
    import SimpleITK as sitk  # noqa: N813  # the name its own documentation uses

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("GDCMImageIO")
    # GDCM complains on stderr, and may quote the header there.
    sitk.ProcessObject.GlobalWarningDisplayOff()
    with careful(Code.DICOM_SYNTAX, f"no decoder reads {syntax}"):
        numbers = sitk.GetArrayFromImage(reader.Execute())
    return Frames(numbers=numbers.reshape((-1, *numbers.shape[-2:])), are_hu=True)
