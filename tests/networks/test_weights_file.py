import hashlib
import json
import os
import pickle
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.torch_version import TorchVersion

from hnmets.networks.weights_file import WeightsError, digest_of, read_tensors

ONE = {"a": torch.arange(4.0)}


class Payload:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def safetensors_file(path: Path, header: object, body: bytes = b"", length: int = -1) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length < 0 else length) + text + body)
    return path


def test_the_digest_is_that_of_the_bytes_and_follows_a_change(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"one")
    assert digest_of(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"other")
    assert digest_of(path) == hashlib.sha256(b"other").hexdigest()


def test_a_missing_file_is_named_and_nothing_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.pt: No such file") as caught:
        digest_of(tmp_path / "absent.pt")
    assert "nothing is downloaded" in caught.value.__notes__[0]


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt", ".safetensors"])
def test_tensors_come_back_by_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(ONE, path)
    else:
        torch.save(ONE | {"epoch": 3}, path)
    found = read_tensors(path)
    assert list(found) == ["a"]
    assert torch.equal(found["a"], ONE["a"])


@pytest.mark.parametrize("protocol", ["zip", "legacy", "bare pickle"])
def test_a_command_in_a_pickle_is_not_run(tmp_path: Path, protocol: str) -> None:
    canary, path = tmp_path / "canary", tmp_path / "weights.pt"
    content = {"a": ONE["a"], "b": Payload(f"touch {canary}")}
    if protocol == "bare pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=protocol == "zip")
    with pytest.raises(WeightsError, match="cannot be read safely") as caught:
        read_tensors(path)
    assert not canary.exists()
    # torch's own message recommends to load it without the protection
    assert "weights_only" not in str(caught.value)
    # torch does not get as far as the name in a bare pickle
    assert protocol == "bare pickle" or "it asks for posix.system" in str(caught.value)


@pytest.mark.parametrize(
    "spoil",
    [lambda d: d[:0], lambda d: d[: len(d) // 2], lambda d: bytes(len(d)), lambda d: b"<" + d],
    ids=["empty", "torn", "zeros", "shifted"],
)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_damaged_file_is_refused(
    tmp_path: Path, suffix: str, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"weights{suffix}"
    save_file(ONE, path) if suffix == ".safetensors" else torch.save(ONE, path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsError, match="cannot be read safely"):
        read_tensors(path)


@pytest.mark.parametrize("in_zip", [True, False])
def test_flipped_bytes_end_in_tensors_or_in_one_clean_error(tmp_path: Path, in_zip: bool) -> None:
    path = tmp_path / "weights.pt"
    torch.save(ONE, path, _use_new_zipfile_serialization=in_zip)
    sound, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(200):
        spoilt = bytearray(sound)
        spoilt[rng.integers(len(spoilt))] = rng.integers(256)
        path.write_bytes(spoilt)
        try:
            read_tensors(path)
        except WeightsError:
            refused += 1
    assert 20 < refused < 200


def test_a_header_that_claims_exabytes_costs_no_memory(tmp_path: Path) -> None:
    path = safetensors_file(tmp_path / "w.safetensors", {}, length=2**62)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match="cannot be read safely"):
        read_tensors(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}},
        {
            "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
            "b": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]},
        },
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}},
        {"a": {"dtype": "OBJECT", "shape": [4], "data_offsets": [0, 16]}},
    ],
    ids=["beyond the file", "overlapping", "shape and size differ", "unknown type"],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: object) -> None:
    path = safetensors_file(tmp_path / "w.safetensors", header, bytes(24))
    with pytest.raises(WeightsError, match="cannot be read safely"):
        read_tensors(path)


def test_a_list_is_not_named_tensors(tmp_path: Path) -> None:
    torch.save([ONE["a"]], tmp_path / "weights.pt")
    with pytest.raises(WeightsError, match="a list, not named tensors"):
        read_tensors(tmp_path / "weights.pt")


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"w\.onnx: neither \.safetensors nor \.pt"):
        read_tensors(tmp_path / "w.onnx")


@pytest.mark.parametrize(("version", "safe"), [("2.9.1", False), ("2.10.0+cpu", True)])
def test_a_torch_with_a_known_hole_reads_no_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, safe: bool
) -> None:
    torch.save(ONE, tmp_path / "weights.pt")
    monkeypatch.setattr(torch, "__version__", TorchVersion(version))
    if safe:
        assert list(read_tensors(tmp_path / "weights.pt")) == ["a"]
        return
    with pytest.raises(WeightsError, match=r"torch 2\.9\.1 does not read it safely"):
        read_tensors(tmp_path / "weights.pt")


def test_a_pickle_that_asks_for_what_it_never_stored_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"\x80\x02h\x65.")  # protocol 2; fetch memo 101; stop
    with pytest.raises(WeightsError, match="safely: damaged, or not a file of tensors"):
        read_tensors(path)
