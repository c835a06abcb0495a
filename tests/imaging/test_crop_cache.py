import hashlib
import logging
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feature_store.recipe import Json
from hnmets.imaging.crop import Crop, CropParameters
from hnmets.imaging.crop_cache import CropCache, crop_key

PARAMETERS = CropParameters(size_voxels=8, spacing_mm=2.0)
KEY = "a" * 64
HEAD = 8 + 32


def crop(size: int = 8, seed: int = 0) -> Crop:
    rng = np.random.default_rng(seed)
    return Crop(
        ct=rng.integers(0, 65536, (size,) * 3).astype(np.uint16),
        tumour=rng.random((size,) * 3) > 0.5,
        ring=rng.random((size,) * 3) > 0.5,
        spacing_mm=2.125,
        spacing_grown=True,
        share_outside=0.25,
    )


@pytest.fixture
def cache(tmp_path: Path) -> CropCache:
    return CropCache(folder=tmp_path / "crops", parameters=PARAMETERS)


def sealed(content: bytes) -> bytes:
    """A file whose checksum is right, whatever is in it."""
    return b"HNMCROP1" + hashlib.sha256(content).digest() + content


def test_what_was_kept_comes_back(cache: CropCache) -> None:
    kept = crop()
    cache.write(KEY, kept, {"case": "P01", "files": {"ct": "b" * 64}})
    found = cache.read(KEY)
    assert found is not None
    for name in ("ct", "tumour", "ring"):
        np.testing.assert_array_equal(getattr(found, name), getattr(kept, name))
        assert getattr(found, name).dtype == getattr(kept, name).dtype
    assert found.flags == kept.flags
    assert cache.provenance(KEY) == {"case": "P01", "files": {"ct": "b" * 64}}


def test_what_was_never_kept_is_missing_without_a_word(
    cache: CropCache, caplog: pytest.LogCaptureFixture
) -> None:
    assert cache.read(KEY) is None
    assert cache.provenance(KEY) is None
    assert not caplog.records


def spoil_torn(data: bytes) -> bytes:
    return data[: len(data) // 2]


def spoil_header(data: bytes) -> bytes:
    return data[:4]


def spoil_empty(data: bytes) -> bytes:
    return b""


def spoil_zeros(data: bytes) -> bytes:
    return bytes(len(data))


def spoil_tail(data: bytes) -> bytes:
    return data + b"\0"


def spoil_content(data: bytes) -> bytes:
    return sealed(b"no archive")


@pytest.mark.parametrize(
    "spoil",
    [spoil_torn, spoil_header, spoil_empty, spoil_zeros, spoil_tail, spoil_content],
)
def test_a_damaged_file_is_named_once_removed_and_missing(
    cache: CropCache, caplog: pytest.LogCaptureFixture, spoil: Callable[[bytes], bytes]
) -> None:
    file = cache.write(KEY, crop(), {})
    file.write_bytes(spoil(file.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert cache.read(KEY) is None
        assert cache.read(KEY) is None
    assert [KEY in record.getMessage() for record in caplog.records] == [True]
    assert not file.exists()
    cache.write(KEY, crop(), {})
    assert cache.read(KEY) is not None


def test_any_flipped_bit_is_seen(cache: CropCache) -> None:
    file = cache.write(KEY, crop(), {"case": "P01"})
    sound = file.read_bytes()
    for place in range(0, len(sound), 37):
        spoiled = bytearray(sound)
        spoiled[place] ^= 1
        file.write_bytes(spoiled)
        assert cache.read(KEY) is None, f"byte {place}"


def test_a_crop_of_another_size_is_damage(
    cache: CropCache, caplog: pytest.LogCaptureFixture
) -> None:
    other = CropCache(folder=cache.folder, parameters=CropParameters(size_voxels=4))
    other.write(KEY, crop(size=4), {})
    assert cache.read(KEY) is None
    assert "(4, 4, 4)" in caplog.text


def test_a_file_under_another_name_is_not_taken_for_the_crop(
    cache: CropCache, caplog: pytest.LogCaptureFixture
) -> None:
    file = cache.write(KEY, crop(), {})
    file.rename(file.with_name("c" * 64 + ".crop"))
    assert cache.read("c" * 64) is None
    assert "another key" in caplog.text


class Payload:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.canary,)


def test_a_pickle_in_a_crop_is_not_run(cache: CropCache, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    archive = BytesIO()
    payload = np.array([Payload(canary)], dtype=object)
    np.savez(archive, ct=payload, tumour=payload, ring=payload, about=payload)
    cache.write(KEY, crop(), {}).write_bytes(sealed(archive.getvalue()))
    assert cache.read(KEY) is None
    assert not canary.exists()


def test_a_writer_killed_before_the_rename_leaves_no_crop(cache: CropCache) -> None:
    code = f"""
import os, signal
from pathlib import Path
import numpy as np
from feature_store.recipe import Json
from hnmets.imaging.crop import Crop, CropParameters
from hnmets.imaging.crop_cache import CropCache
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
mask = np.ones((8, 8, 8), bool)
crop = Crop(ct=mask.astype(np.uint16), tumour=mask, ring=mask, spacing_mm=1.0)
cache = CropCache(folder=Path({str(cache.folder)!r}), parameters=CropParameters(size_voxels=8))
cache.write({KEY!r}, crop, {{}})
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -9
    assert list(cache.folder.iterdir())  # the temporary file
    assert cache.read(KEY) is None
    cache.write(KEY, crop(), {})
    assert cache.read(KEY) is not None


def test_inputs_parameters_rules_and_alteration_all_enter_the_key() -> None:
    def key(
        digest: str = "d1",
        rule: Json = None,
        alteration: dict[str, Json] | None = None,
        **parameters: Any,  # noqa: ANN401  # any of the settings
    ) -> str:
        return crop_key(
            input_digest=digest,
            parameters=CropParameters(**parameters),
            regions={"ring": rule or {"distance_mm": 5.0, "around": "tumour"}},
            alteration=alteration,
        )

    keys = [
        key(),
        key(digest="d2"),
        key(size_voxels=64),
        key(spacing_mm=2.0),
        key(window_hu=(-175.0, 250.0)),
        key(rule={"distance_mm": 3.0, "around": "tumour"}),
        key(alteration={"control": "shuffled-roi", "seed": 0}),
        key(alteration={"control": "shuffled-roi", "seed": 1}),
    ]
    assert len(set(keys)) == len(keys)
    assert key(rule={"around": "tumour", "distance_mm": 5.0}) == key()
    assert key(spacing_mm=1) == key(spacing_mm=1.0)
