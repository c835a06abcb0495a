"""Weights files: their identity, and their tensors read without running anything in them."""

import hashlib
import pickle
import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hnmets.domain.errors import InvalidDataError

if TYPE_CHECKING:
    from torch import Tensor

# Before 2.10 a crafted file could run code in spite of weights_only (CVE-2026-24747).
_SAFE_TORCH = "2.10"
_PICKLED = frozenset({".pt", ".pth", ".bin", ".ckpt"})
# What torch's reader raises on files with flipped bytes.
_DAMAGE = (
    pickle.UnpicklingError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
# Of these the text is a sentence; of the others it may be a key or a number.
_TELLING = (OSError, RuntimeError, ValueError)
# Where training scripts put the weights beside optimiser and epoch.
_ROOTS = ("state_dict", "network_weights", "model", "net", "student")


class WeightsError(InvalidDataError):
    """A weights file cannot be used."""


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a weights file; an unchanged file is read once per process.

    Raises
    ------
    WeightsError
        If there is no such file.
    """
    try:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"weights {path}: {error.strerror}").with_note(
            "Set [embedding] weights to a local file; nothing is downloaded."
        ) from error


def require_unchanged(path: Path, sha256: str) -> None:
    """Check that a weights file is the one that was planned with.

    Raises
    ------
    WeightsError
        If there is no such file, or its digest is another one.
    """
    if digest_of(path) != sha256:
        raise WeightsError(f"weights {path.name} changed while the work was under way").with_note(
            "Run the command again."
        )


def read_tensors(path: Path) -> dict[str, "Tensor"]:
    """Read the tensors of a `.safetensors` file, or of a PyTorch file that holds nothing else.

    Raises
    ------
    WeightsError
        If the file is damaged, of another kind, or would have to run code to be read.
    """
    if path.suffix == ".safetensors":
        return _safetensors(path)
    if path.suffix in _PICKLED:
        return _tensors_in(_unpickled(path), path)
    raise WeightsError(f"weights {path.name}: neither .safetensors nor .pt, .pth, .bin, .ckpt")


# One text for all: safetensors writes several in an order that changes from run to run.
CLASSIFIER = "hnmets classifier 1"


def read_metadata(path: Path) -> dict[str, str]:
    """Read the text in the header of a `.safetensors` file; its tensors are not read.

    Raises
    ------
    WeightsError
        If the file is damaged or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


# One per fold and backbone, and the weights that the study starts from.
@lru_cache(maxsize=256)
def _digest(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001 - size and time are the key of the cache
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _safetensors(path: Path) -> dict[str, "Tensor"]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _unpickled(path: Path) -> object:
    import torch

    # A TorchVersion: it compares by number, 2.9 is below 2.10.
    if torch.__version__ < _SAFE_TORCH:
        raise WeightsError(
            f"weights {path.name}: torch {torch.__version__} does not read it safely"
        ).with_note("Install torch 2.10 or newer, or convert the file to safetensors elsewhere.")
    try:
        with warnings.catch_warnings():
            # A file of an odd pickle protocol can be read or not; torch would warn before either.
            warnings.simplefilter("ignore", UserWarning)
            content: object = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise _unreadable(path, error) from error
    return content


def _tensors_in(content: object, path: Path) -> dict[str, "Tensor"]:
    import torch

    holder = content
    for root in _ROOTS:
        if isinstance(content, Mapping) and isinstance(content.get(root), Mapping):
            holder = content[root]
            break
    if not isinstance(holder, Mapping):
        raise WeightsError(f"weights {path.name}: a {type(holder).__name__}, not named tensors")
    return {str(name): value for name, value in holder.items() if isinstance(value, torch.Tensor)}


def _unreadable(path: Path, error: Exception) -> WeightsError:
    return WeightsError(f"weights {path.name} cannot be read safely: {_reason(error)}").with_note(
        "Copy the file again; one that holds more than tensors has to be converted elsewhere."
    )


def _reason(error: Exception) -> str:
    """Say in one line what torch says in ten, without its advice to switch the protection off."""
    if asked := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it asks for {asked[1]}"
    if isinstance(error, _DAMAGE) and not isinstance(error, _TELLING):
        return "damaged, or not a file of tensors"
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
