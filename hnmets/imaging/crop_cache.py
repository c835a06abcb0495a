"""Crops on disk: whole, or reported as missing so that they are cut again."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from feature_store.atomic import write_atomic
from feature_store.recipe import Json
from hnmets.imaging.crop import Crop, CropParameters

_MAGIC = b"HNMCROP1"
_DIGEST_BYTES = 32
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CropCache:
    """One file per crop, named by its key.

    A file is a magic word, the SHA-256 of the rest, and a NumPy archive without compression:
    the CT does not shrink by much, and a network reads crops faster than they inflate.

    Parameters
    ----------
    folder
        Made when the first crop is written.
    parameters
        Of the crops; a file of another size is damage.
    """

    folder: Path
    parameters: CropParameters

    def write(self, key: str, crop: Crop, provenance: Mapping[str, Json]) -> Path:
        """Keep a crop and where it came from (case, digests of the files, rules).

        Raises
        ------
        StoreFullError
            If the disk has no room.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return write_atomic(self._path(key), _packed(key, crop, provenance))

    def read(self, key: str) -> Crop | None:
        """Return the crop, or None where it is not there.

        A file that is torn, damaged or of another shape is named in the log and removed.
        """
        found = self._found(key)
        return found[0] if found else None

    def provenance(self, key: str) -> dict[str, Json] | None:
        """Return where a crop came from; None where there is no such crop."""
        found = self._found(key)
        return found[1] if found else None

    def _found(self, key: str) -> tuple[Crop, dict[str, Json]] | None:
        path = self._path(key)
        try:
            return _unpacked(path.read_bytes(), key=key, size_voxels=self.parameters.size_voxels)
        except FileNotFoundError:
            return None
        except _DamagedError as damage:
            _log.warning("cached crop %s is damaged (%s); it is cut again", path.name, damage)
            path.unlink(missing_ok=True)
            return None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.crop"


def crop_key(
    *,
    input_digest: str,
    parameters: CropParameters,
    regions: Mapping[str, Json],
    alteration: Mapping[str, Json] | None = None,
) -> str:
    """Return the identity of a crop: its inputs, its parameters, the rules of its regions.

    Parameters
    ----------
    input_digest
        Over the files that were read.
    regions
        Rules of tumour and ring as JSON.
    alteration
        Control or perturbation that the case went through.
    """
    content = {"input": input_digest, "crop": parameters.identity, "regions": dict(regions)}
    if alteration is not None:
        content["alteration"] = dict(alteration)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class _DamagedError(Exception):
    """What is wrong with a cached file."""


def _packed(key: str, crop: Crop, provenance: Mapping[str, Json]) -> bytes:
    about = {
        "key": key,
        "spacing_mm": crop.spacing_mm,
        "spacing_grown": crop.spacing_grown,
        "share_outside": crop.share_outside,
        "provenance": dict(provenance),
    }
    archive = BytesIO()
    np.savez(
        archive,
        ct=crop.ct,
        tumour=np.packbits(crop.tumour),
        ring=np.packbits(crop.ring),
        about=np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
    )
    content = archive.getvalue()
    return b"".join((_MAGIC, hashlib.sha256(content).digest(), content))


def _unpacked(data: bytes, *, key: str, size_voxels: int) -> tuple[Crop, dict[str, Json]]:
    head = len(_MAGIC) + _DIGEST_BYTES
    if not data.startswith(_MAGIC):
        raise _DamagedError("not a crop" if data.strip(b"\0") else "empty")
    content = data[head:]
    if hashlib.sha256(content).digest() != data[len(_MAGIC) : head]:
        raise _DamagedError("wrong checksum")
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("ct", "tumour", "ring", "about")}
        about = json.loads(arrays["about"].tobytes())
        return _crop(arrays, about, key=key, size_voxels=size_voxels), about["provenance"]
    except (BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise _DamagedError(f"{type(error).__name__}: {error}") from error


def _crop(
    arrays: Mapping[str, NDArray[Any]],
    about: Mapping[str, Any],  # Any: JSON as it was written by `_packed`
    *,
    key: str,
    size_voxels: int,
) -> Crop:
    if about["key"] != key:
        raise _DamagedError("it belongs to another key")
    shape = (size_voxels,) * 3
    wanted = {"ct": (np.uint16, shape)} | dict.fromkeys(
        ("tumour", "ring"), (np.uint8, (-(-(size_voxels**3) // 8),))
    )
    for name, (dtype, size) in wanted.items():
        if arrays[name].dtype != dtype or arrays[name].shape != size:
            raise _DamagedError(f"{name} is {arrays[name].dtype} {arrays[name].shape}")
    tumour, ring = (
        np.unpackbits(arrays[name], count=size_voxels**3).astype(np.bool_).reshape(shape)
        for name in ("tumour", "ring")
    )
    return Crop(
        ct=arrays["ct"],
        tumour=tumour,
        ring=ring,
        spacing_mm=float(about["spacing_mm"]),
        spacing_grown=bool(about["spacing_grown"]),
        share_outside=float(about["share_outside"]),
    )
